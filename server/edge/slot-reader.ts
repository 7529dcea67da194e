import { createSlotBreaker } from "../gateway/slot-breaker";
import { parseSlotPayload, slotKeyOf, type SlotPayload } from "../gateway/slot-payload";
import type { Settings } from "./options";
import { send } from "./send";

/** As long as a verification elsewhere waits for the slot. */
const slotMilliseconds = 250;

/**
 * Reads and writes nothing, so no lease of this reader ever keeps the origin from filling. EVAL goes to the leader; a GET may be answered by a
 * replica. The nonce comes back with the value: an answer that was stored somewhere on the way has another one.
 */
const readScript = "return {ARGV[1], redis.call('GET', KEYS[1])}";

/**
 * Makes the reader of slots.
 * @returns a function that gives what the slot of a hash holds, in one request to the leader. Null for all that is no value: an empty slot, a
 *   lease, a bypass, a tombstone, an answer that is not understood, and a Redis that cannot be reached in time.
 */
export function createSlotReader({ redis }: Pick<Settings, "redis">) {
  const breaker = createSlotBreaker();
  return async (hex: string): Promise<SlotPayload | null> => {
    if (breaker.isOpen()) return null;
    try {
      const value = await readValue(redis, slotKeyOf(redis.prefix, hex));
      breaker.note(null);
      return value?.startsWith("V:") ? parseSlotPayload(value.slice(2), hex) : null;
    } catch (fault) {
      breaker.note(fault);
      return null;
    }
  };
}

async function readValue({ url, token }: Settings["redis"], slotKey: string): Promise<string | null> {
  const nonce = crypto.randomUUID();
  const { status, text } = await send(url, {
    bearer: token,
    type: "application/json",
    body: JSON.stringify(["EVAL", readScript, 1, slotKey, nonce]),
    milliseconds: slotMilliseconds,
  });
  const answer = status === 200 ? (JSON.parse(text) as unknown) : null;
  const result = isRecord(answer) && Object.hasOwn(answer, "result") ? answer.result : null;
  if (!Array.isArray(result) || result.length !== 2 || result[0] !== nonce) return null;
  return typeof result[1] === "string" ? result[1] : null;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
