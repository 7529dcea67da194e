import { type BenchKey, insertKeys, type Stage } from "./stage";

/** Keys that are used once each. */
export interface KeySource {
  next(): Promise<BenchKey>;
  /** So that making keys does not fall into a measured stretch. */
  stock(count: number): Promise<void>;
}

export function keySource(stage: Stage): KeySource {
  const keys: BenchKey[] = [];
  const stock = async (count: number) => {
    if (keys.length < count) keys.push(...(await insertKeys(stage, count - keys.length)));
  };
  return {
    stock,
    async next() {
      await stock(1);
      const key = keys.pop();
      if (!key) throw new Error("no key");
      return key;
    },
  };
}
