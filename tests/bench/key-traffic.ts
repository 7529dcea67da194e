import { randomBytes, randomUUID } from "node:crypto";

import superjson, { type SuperJSONResult } from "superjson";

import { loadLocalKeys, mintSessionToken } from "@/local/clerk";
import { mintSecret } from "@/server/keys/secret";

import { createRandom } from "../support/random";
import { type Services, settingOf } from "./services";
import { type BenchKey, insertKeys, type Stage } from "./stage";
import type { Send } from "./steady-load";

export const whoamiPath = "/api/v1/whoami";
const format = { prefix: "lk", environment: "test" } as const;
const storedCount = 5_000;
const limitedCount = 100;
const limitedPerMinute = 5;

/** One kind of request, how much of all it is, and what a healthy server may answer to it. */
interface Kind {
  name: string;
  portion: number;
  secret: () => string;
  answers: readonly number[];
}

/** How many requests of a kind were sent, and how many answers were others than it may have. */
interface Tally {
  sent: number;
  byStatus: Map<number, number>;
  unexpected: number;
}

/**
 * What a server sees in production, mixed: keys whose slot is warm, keys whose slot has ended (it lives 60 s, and there are thousands), keys of
 * owners beyond their limit, unknown keys and malformed ones, each time another. Every request has an address of its own.
 */
export async function createKeyTraffic(stage: Stage, send: Send) {
  const random = createRandom(1);
  const stored = await insertKeys(stage, storedCount);
  const limited = await insertKeys(stage, limitedCount, limitedPerMinute);
  const secretOf = (keys: readonly BenchKey[]) => () => random.pick(keys)?.secret ?? "";
  const kinds: Kind[] = [
    { name: "stored keys", portion: 0.7, secret: secretOf(stored), answers: [200] },
    { name: "keys of owners with a limit", portion: 0.05, secret: secretOf(limited), answers: [200, 429] },
    { name: "unknown keys", portion: 0.15, secret: () => mintSecret(format), answers: [401] },
    { name: "malformed keys", portion: 0.1, secret: () => randomBytes(20).toString("hex"), answers: [401] },
  ];
  const tallies = new Map<string, Tally>(
    kinds.map(({ name }) => [name, { sent: 0, byStatus: new Map(), unexpected: 0 }]),
  );
  function pick(): Kind | undefined {
    let left = random.next();
    return kinds.find(({ portion }) => (left -= portion) < 0) ?? kinds[0];
  }
  return {
    tallies,
    async sendOne(): Promise<void> {
      const kind = pick();
      const tally = kind && tallies.get(kind.name);
      if (!tally) throw new Error("no kind of request");
      tally.sent++;
      const { status } = await send(whoamiPath, {
        authorization: `Bearer ${kind.secret()}`,
        "x-forwarded-for": `10.${random.between(0, 256)}.${random.between(0, 256)}.${random.between(0, 256)}`,
      });
      tally.byStatus.set(status, (tally.byStatus.get(status) ?? 0) + 1);
      if (!kind.answers.includes(status)) tally.unexpected++;
    },
  };
}

/**
 * The life of one key, all of it through the server: a new user creates it, uses it, rotates it, uses the new secret, lists, and revokes it.
 * @returns a function that lives one such life. It throws when an answer is not the one that is due.
 */
export async function createKeyLives(services: Services, send: Send) {
  const keys = await loadLocalKeys(services.clerkDirectory);
  const azp = settingOf(services, "APP_ORIGIN");
  return async function live(): Promise<void> {
    const userId = `user_${randomBytes(12).toString("hex")}`;
    const authorization = `Bearer ${mintSessionToken(keys, { userId, azp, features: ["api_access"] })}`;
    const call = async (procedure: string, input: unknown) => {
      const { status, text } = await send(
        `/api/trpc/apiKeys.${procedure}`,
        { authorization },
        superjson.serialize(input),
      );
      if (status !== 200) throw new Error(`${procedure} answers ${status}`);
      return superjson.deserialize((JSON.parse(text) as { result: { data: SuperJSONResult } }).result.data);
    };
    const verify = async (secret: string, due: number) => {
      const { status } = await send(whoamiPath, { authorization: `Bearer ${secret}` });
      if (status !== due) throw new Error(`whoami answers ${status} where ${due} is due`);
    };
    const created = (await call("create", { name: "Life", requestId: randomUUID() })) as {
      key: { id: string };
      secret: string;
    };
    const { id } = created.key;
    await verify(created.secret, 200);
    const rotated = (await call("rotate", { id, requestId: randomUUID(), graceSeconds: 300 })) as { secret: string };
    await verify(rotated.secret, 200);
    await verify(created.secret, 200);
    const listed = await send("/api/trpc/apiKeys.list", { authorization });
    if (listed.status !== 200) throw new Error(`list answers ${listed.status}`);
    await call("revoke", { id });
    await verify(created.secret, 401);
    await verify(rotated.secret, 401);
  };
}
