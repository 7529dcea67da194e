import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";

import { type LocalClerk, startLocalClerk } from "@/local/clerk";
import { findFreePort } from "@/local/free-port";
import { startLocalPostgres } from "@/local/postgres";
import { startLocalRedis } from "@/local/redis";

import { startTcpForwarder } from "../support/tcp-forwarder";
import { startFront } from "./front";

/** What an app needs around it: an empty database, a Redis, a sign-in, and an address. */
export interface Services {
  /** Where browsers find the app. */
  origin: string;
  /** Where the app itself has to listen. */
  appPort: number;
  databaseUrl: string;
  /** The Redis by its own protocol. Null where there is no redis-server. */
  redisUrl: string | null;
  /** The settings that a reader of a recipe fills in. */
  settings: Record<string, string>;
  /** The cookies of a browser that is signed in, in the shape that `context.addCookies` takes. */
  cookies: () => ReturnType<LocalClerk["browserSession"]>;
  /** What only the local sign-in needs: with Clerk's own servers nobody sets these. */
  standIn: Record<string, string>;
  stop(): Promise<void>;
}

export async function startServices(): Promise<Services> {
  const directory = await mkdtemp(join(tmpdir(), "latchkey-services-"));
  const stops = [() => rm(directory, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of stops.reverse()) await step();
  };
  try {
    const [port, appPort] = [await findFreePort(), await findFreePort()];
    const origin = `http://localhost:${port}`;
    const postgres = await startLocalPostgres({ directory, durable: false });
    stops.push(() => postgres.stop());
    const databaseUrl = await createAppDatabase(postgres.url);
    const redis = await startLocalRedis({ server: "auto", directory: join(directory, "redis") });
    stops.push(() => redis.stop());
    const forwarder = redis.process && (await startTcpForwarder(redis.process.socketPath));
    if (forwarder) stops.push(() => forwarder.stop());
    const clerk = await startLocalClerk({ directory: join(directory, "clerk"), appOrigin: origin });
    stops.push(() => clerk.stop());
    const { NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY = "", CLERK_SECRET_KEY = "", ...standIn } = clerk.environment;
    const clerkUrl = standIn.CLERK_FAPI_URL ?? "";
    const front = await startFront({ port, appPort, clerkUrl, clerkSecretKey: CLERK_SECRET_KEY });
    stops.push(() => front.stop());
    return {
      origin,
      appPort,
      databaseUrl,
      redisUrl: forwarder ? `redis://127.0.0.1:${forwarder.port}` : null,
      settings: {
        NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY,
        CLERK_SECRET_KEY,
        NEXT_PUBLIC_CLERK_SIGN_IN_URL: "/sign-in",
        DATABASE_URL: databaseUrl,
        UPSTASH_REDIS_REST_URL: redis.url,
        UPSTASH_REDIS_REST_TOKEN: redis.token,
        APP_ORIGIN: origin,
        CRON_SECRET: "a-secret-of-the-tests-and-of-nothing-else",
      },
      cookies: () => clerk.browserSession({ userId: clerk.accounts[0]?.id ?? "" }),
      standIn: { ...standIn, ALLOW_LOCAL_CLERK: "e2e-only" },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * A database and a role with the app's name. The local server's own role is named `latchkey`, and Postgres puts tables without a schema into the
 * one with the role's name where there is one: the app's tables would come to stand among Latchkey's.
 */
async function createAppDatabase(adminUrl: string): Promise<string> {
  const url = new URL(adminUrl);
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(`create role app login password '${url.password}'`);
  await client.query("create database app owner app");
  await client.end();
  return Object.assign(url, { username: "app", pathname: "/app" }).href;
}
