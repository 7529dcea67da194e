import { createPublicKey, type KeyObject } from "node:crypto";

import { z } from "zod";

import { describeFault, type Logger } from "../platform/logger";

/** For so long a list of keys is used without asking GitHub again. */
const freshMilliseconds = 3_600_000;
/** For so long a key that is known is used while GitHub cannot be reached. */
const keptMilliseconds = 86_400_000;
/** After a fetch that failed, or that did not bring the key, GitHub is left alone for so long. Anybody can make up an id of a key. */
const pauseMilliseconds = 10_000;
const fetchMilliseconds = 5_000;
const maxListBytes = 256 * 1024;
const mostKeys = 1_000;

/**
 * `unknown`: GitHub's list, which was read just now or at most 10 s ago, has no such key. `unavailable`: the list cannot be read, so nobody
 * knows.
 */
type FoundKey = { status: "found"; key: KeyObject } | { status: "unknown" } | { status: "unavailable" };

/** The public keys with which GitHub signs its reports, in this process. */
export interface GithubKeys {
  /**
   * Finds a key by its id. It is fetched where it is not known, or where the list is older than an hour. Whoever asks meanwhile waits for the
   * same fetch. It never throws.
   */
  find(id: string): Promise<FoundKey>;
}

interface KeyList {
  keys: ReadonlyMap<string, KeyObject>;
  etag: string | null;
  /** When GitHub last said that this is the list. */
  confirmedAt: number;
}

export function createGithubKeys(options: { url: string; now: () => Date; logger: Logger }): GithubKeys {
  const now = () => options.now().getTime();
  let list: KeyList | undefined;
  let underWay: Promise<void> | undefined;
  let hasAnswered = false;
  let pausedAt: number | null = null;

  function refresh(): Promise<void> {
    underWay ??= readAgain().finally(() => (underWay = undefined));
    return underWay;
  }

  async function readAgain(): Promise<void> {
    try {
      // A list that was read again takes the place of the old one. A key that GitHub has withdrawn is gone with it.
      list = await fetchList(options.url, list, now());
      hasAnswered = true;
    } catch (fault) {
      options.logger.warn({ fault: describeFault(fault) }, "GitHub's keys not read");
      hasAnswered = false;
    }
  }

  const ageOfList = () => (list ? now() - list.confirmedAt : Infinity);
  /** A clock that was set back ends a time, since nobody knows how much of it has passed. */
  const isWithin = (age: number, milliseconds: number) => age >= 0 && age < milliseconds;
  const isFresh = () => isWithin(ageOfList(), freshMilliseconds);
  const isPausing = () => pausedAt !== null && isWithin(now() - pausedAt, pauseMilliseconds);

  return {
    async find(id) {
      if (!(list?.keys.has(id) && isFresh()) && !isPausing()) {
        await refresh();
        if (!hasAnswered || !list?.keys.has(id)) pausedAt = now();
      }
      const key = ageOfList() < keptMilliseconds ? list?.keys.get(id) : undefined;
      if (key) return { status: "found", key };
      return { status: hasAnswered ? "unknown" : "unavailable" };
    },
  };
}

const listSchema = z.object({
  public_keys: z.array(z.unknown()).max(mostKeys),
});
const entrySchema = z.object({ key_identifier: z.string().max(200), key: z.string().max(10_000) });

/** @throws when the server does not answer in time, answers with something else, or sends the request elsewhere. */
async function fetchList(url: string, known: KeyList | undefined, now: number): Promise<KeyList> {
  const response = await fetch(url, {
    headers: {
      Accept: "application/json",
      "User-Agent": "latchkey",
      ...(known?.etag && { "If-None-Match": known.etag }),
    },
    // Only this address is trusted, and no cache between us and it.
    redirect: "error",
    cache: "no-store",
    signal: AbortSignal.timeout(fetchMilliseconds),
  });
  if (response.status === 304 && known) {
    await response.body?.cancel();
    return { ...known, confirmedAt: now };
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the keys are answered with ${response.status}`);
  }
  const keys = readKeys(JSON.parse(await readText(response)));
  return { keys, etag: response.headers.get("etag"), confirmedAt: now };
}

/** An answer that never ends is broken off by the signal of the request, one that is too long here. */
async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body?.getReader();
  for (;;) {
    const { value } = (await reader?.read()) ?? {};
    if (!value) break;
    size += value.byteLength;
    if (size > maxListBytes) {
      await reader?.cancel();
      throw new Error("the list of keys is too long");
    }
    chunks.push(value);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** An entry that is no key of the curve P-256 is left out. So nothing that is signed with it is accepted, and the others still work. */
function readKeys(answer: unknown): Map<string, KeyObject> {
  const { public_keys } = listSchema.parse(answer);
  return new Map(
    public_keys.flatMap((entry): [string, KeyObject][] => {
      const { data } = entrySchema.safeParse(entry);
      const key = data && readP256(data.key);
      return data && key ? [[data.key_identifier, key]] : [];
    }),
  );
}

function readP256(pem: string): KeyObject | null {
  // createPublicKey also takes private keys and certificates.
  if (!/^\s*-----BEGIN PUBLIC KEY-----/.test(pem)) return null;
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : null;
  } catch {
    return null;
  }
}
