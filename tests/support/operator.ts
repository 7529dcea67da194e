import { Readable, Writable } from "node:stream";

import type { CommandIo } from "@/server/command/command-io";
import { runCommand } from "@/server/command/run-command";
import type { RedisPlace } from "@/server/platform/redis";

import { redisPrefix } from "./slots";
import type { TestServer } from "./server-instance";
import type { Ended } from "./latchkey-command";

/** The settings of a deployment whose test server this is: with the same Postgres and Redis. */
export function settingsOf(server: TestServer): Record<string, string> {
  return {
    DATABASE_URL: server.postgresProxy.url,
    ...redisSettingsOf(server.redisPlace),
    API_KEY_REDIS_PREFIX: redisPrefix,
    API_KEY_ENVIRONMENT: "test",
  };
}

/** The settings that name this Redis. */
export function redisSettingsOf(place: RedisPlace): Record<string, string> {
  return "address" in place
    ? { REDIS_URL: `redis://${place.address.host}:${place.address.port}` }
    : { UPSTASH_REDIS_REST_URL: place.url, UPSTASH_REDIS_REST_TOKEN: place.token };
}

/** Runs a command of the deployment, in this process. */
export function operate(server: TestServer, args: string[], input = "", settings = {}): Promise<Ended> {
  return runWith(args, { environment: { ...settingsOf(server), ...settings } }, Readable.from([Buffer.from(input)]));
}

/** Runs a command in this process, as if it had been started with these. @param isTerminal whether its streams say that they are. */
export async function runWith(
  args: string[],
  io: Pick<CommandIo, "environment" | "hasClerk" | "now">,
  input: Readable = Readable.from([]),
  isTerminal = false,
): Promise<Ended> {
  const output: string[] = [];
  const errors: string[] = [];
  const into = (texts: string[]) =>
    Object.assign(
      new Writable({
        write(chunk, _encoding, done) {
          texts.push(String(chunk));
          done();
        },
      }),
      { isTTY: isTerminal },
    );
  const streams = {
    input: Object.assign(input, { isTTY: isTerminal }),
    output: into(output),
    errors: into(errors),
  };
  const code = await runCommand(args, { ...io, ...streams });
  return { code, output: output.join(""), errors: errors.join("") };
}

/** The objects that a command has written with `--json`, each on its line. */
export function objectsIn<T = Record<string, unknown>>({ output }: Ended): T[] {
  return output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}
