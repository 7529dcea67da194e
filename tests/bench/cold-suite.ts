import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { findFreePort } from "@/local/free-port";

import { buildApp, spawnApp } from "../support/app-server";
import { createPackageHost, plainEnvironment } from "../support/package-host";
import { whoamiPath } from "./key-traffic";
import { buildForProduction, redisByTcp } from "./production-build";
import { table } from "./report";
import { type Services, settingOf } from "./services";
import { median } from "./statistics";
import { type BenchKey, insertKeys, openStage, type Stage, warmSlots } from "./stage";
import type { Suite } from "./suite";

const livePath = "/api/health/live";
const pollMilliseconds = 5;
/** A server that has not answered by then has failed. */
const patienceMilliseconds = 60_000;
const run = promisify(execFile);

/** What is measured in each round, in milliseconds, by name, in the order of the table. */
type Times = Record<string, number>;

/**
 * From the start of a process until it has verified a key, beside a Next server that does nothing; and its first verification beside its tenth.
 * Also the package in plain Node.
 */
export const measureColdStarts: Suite = async ({ services, isQuick }) => {
  const rounds = isQuick ? 2 : 7;
  const stage = openStage(services);
  try {
    const [warm] = await insertKeys(stage, 1);
    if (!warm) throw new Error("no keys");
    await warmSlots(stage, [warm]);
    const inNext = await measureNext({ services, stage, warm, rounds });
    const inNode = await measureNode(services, warm, rounds);
    return {
      comparisons: [],
      notes: [describe("A production server", inNext), describe("The package in Node", inNode)],
    };
  } finally {
    await stage.close();
  }
};

/** One kind of a start: a folder with a build, and what the server is asked. */
interface Start {
  folder: string;
  environmentFor: (port: number) => NodeJS.ProcessEnv;
  path: string;
  headers?: Record<string, string>;
}

async function measureNext(options: { services: Services; stage: Stage; warm: BenchKey; rounds: number }) {
  const { services, stage, warm, rounds } = options;
  const build = await buildForProduction(services);
  let bare: string | undefined;
  try {
    bare = await buildBareApp(build.environmentFor(0));
    const keysForMisses = await insertKeys(stage, 2 * rounds);
    const headers = headersOf(warm);
    const all: Times[] = [];
    for (let round = 0; round < rounds; round++) {
      const times: Times = {};
      const nothing = { folder: bare, environmentFor: (port: number) => build.environmentFor(port), path: livePath };
      times["a bare Next server, its first answer"] = await startAndAsk(nothing);
      for (const way of ["REST", "TCP"]) {
        const changes = way === "TCP" ? redisByTcp(services) : {};
        const server = { folder: build.folder, environmentFor: (port: number) => build.environmentFor(port, changes) };
        times[`until its first verification, ${way}`] = await startAndAsk({ ...server, path: whoamiPath, headers });
        times[`until ${livePath} answers, ${way}`] = await startAndAsk(
          { ...server, path: livePath },
          async (origin) => {
            const ask = (key: BenchKey) => timeOf(() => answerOf(`${origin}${whoamiPath}`, headersOf(key)));
            times[`its first verification, ${way}`] = await ask(warm);
            for (let number = 2; number < 10; number++) await ask(warm);
            times[`its tenth verification, ${way}`] = await ask(warm);
            const missing = keysForMisses.pop();
            if (missing) times[`its first miss, ${way}`] = await ask(missing);
          },
        );
      }
      all.push(times);
    }
    return all;
  } finally {
    if (bare !== undefined) await rm(bare, { recursive: true, force: true });
    await build.remove();
  }
}

const headersOf = ({ secret }: BenchKey) => ({ authorization: `Bearer ${secret}` });

/** An app of one route that does nothing, on the same Next. */
async function buildBareApp(environment: NodeJS.ProcessEnv): Promise<string> {
  await mkdir(".local", { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(".local", "bare-app-"));
  const route = join(folder, `app${livePath}`);
  await mkdir(route, { recursive: true });
  await writeFile(
    join(route, "route.js"),
    'export const GET = () => new Response("ok");\nexport const dynamic = "force-dynamic";\n',
  );
  await writeFile(join(folder, "package.json"), '{ "name": "bare", "private": true, "type": "module" }');
  // Without ones of its own Next would take those of the folder above.
  await writeFile(join(folder, "instrumentation.js"), "export const register = () => undefined;\n");
  await writeFile(join(folder, "next.config.mjs"), "export default {};\n");
  const middleware = 'export const middleware = () => undefined;\nexport const config = { matcher: "/never" };\n';
  await writeFile(join(folder, "middleware.js"), middleware);
  try {
    await buildApp(folder, environment);
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** @returns the milliseconds from the start of the process to its first answer that is 200. */
async function startAndAsk(
  { folder, environmentFor, path, headers = {} }: Start,
  afterwards?: (origin: string) => Promise<void>,
): Promise<number> {
  const port = await findFreePort();
  const origin = `http://localhost:${port}`;
  const startedAt = performance.now();
  const server = await spawnApp(port, environmentFor(port), { folder, output: "ignore" });
  try {
    while ((await answerOf(`${origin}${path}`, headers)) !== 200) {
      if (performance.now() - startedAt > patienceMilliseconds) throw new Error(`${path} was not answered with 200`);
      await sleep(pollMilliseconds);
    }
    const milliseconds = performance.now() - startedAt;
    await afterwards?.(origin);
    return milliseconds;
  } finally {
    await server.stop();
  }
}

/** The status; 0 where nobody listens yet. */
async function answerOf(url: string, headers: Record<string, string>): Promise<number> {
  const response = await fetch(url, { headers }).catch(() => null);
  await response?.arrayBuffer();
  return response?.status ?? 0;
}

async function timeOf(ask: () => Promise<number>): Promise<number> {
  const before = performance.now();
  const status = await ask();
  if (status !== 200) throw new Error(`a verification was answered with ${status}`);
  return performance.now() - before;
}

/** Tells when, since its start, the process had the package, and each verification, in milliseconds. */
const hostSource = `
const marks = {};
const { createLatchkey } = await import("latchkey");
marks.imported = performance.now();
const { DATABASE_URL: databaseUrl, REDIS_URL: connection, REST_URL: url, REST_TOKEN: token, SECRET } = process.env;
const latchkey = createLatchkey({
  secretFormat: { prefix: "lk", environment: "test" },
  databaseUrl,
  redis: connection ? { connection } : { url, token },
  logLevel: "silent",
});
const verify = async () => {
  const before = performance.now();
  const { valid } = await latchkey.verify(SECRET);
  if (!valid) throw new Error("refused");
  return performance.now() - before;
};
marks.first = await verify();
marks.verified = performance.now();
for (let number = 2; number < 10; number++) await verify();
marks.tenth = await verify();
console.log(JSON.stringify(marks));
process.exit();
`;

async function measureNode(services: Services, warm: BenchKey, rounds: number): Promise<Times[]> {
  await run(process.execPath, ["--import", "tsx", "local/package.ts"]);
  const host = await createPackageHost();
  try {
    const program = join(host.folder, "host.mjs");
    const nothing = join(host.folder, "nothing.mjs");
    await writeFile(program, hostSource);
    await writeFile(nothing, "console.log(JSON.stringify({ verified: performance.now() }));\n");
    const ofWay = {
      REST: {
        REST_URL: settingOf(services, "UPSTASH_REDIS_REST_URL"),
        REST_TOKEN: settingOf(services, "UPSTASH_REDIS_REST_TOKEN"),
      },
      TCP: { REDIS_URL: `redis://127.0.0.1:${services.redisPort}` },
    };
    const marksOf = async (file: string, settings: Record<string, string>) => {
      const env = plainEnvironment({
        DATABASE_URL: settingOf(services, "DATABASE_URL"),
        SECRET: warm.secret,
        ...settings,
      });
      const { stdout } = await run(process.execPath, [file], { env, cwd: host.folder });
      return JSON.parse(stdout) as Record<"imported" | "verified" | "first" | "tenth", number>;
    };
    const all: Times[] = [];
    for (let round = 0; round < rounds; round++) {
      const times: Times = { "a process that does nothing, its first line": (await marksOf(nothing, {})).verified };
      for (const [way, settings] of Object.entries(ofWay)) {
        const { imported, verified, first, tenth } = await marksOf(program, settings);
        times[`until the package is imported, ${way}`] = imported;
        times[`until its first verification, ${way}`] = verified;
        times[`its first verification, ${way}`] = first;
        times[`its tenth verification, ${way}`] = tenth;
      }
      all.push(times);
    }
    return all;
  } finally {
    await host.remove();
  }
}

/** The first row is what the others stand beside. */
function describe(title: string, all: readonly Times[]): string {
  const names = Object.keys(all[0] ?? {});
  const of = (name: string) => all.map((times) => times[name] ?? NaN);
  const base = of(names[0] ?? "");
  const rows = names.map((name) => {
    const values = of(name);
    const number = (value: number) => value.toFixed(value < 10 ? 2 : 0);
    const ratio = median(values.map((value, at) => value / (base[at] ?? NaN)));
    return [
      name,
      number(median(values)),
      number(Math.min(...values)),
      number(Math.max(...values)),
      name.includes("until") ? ratio.toFixed(2) : "",
    ];
  });
  return `${title}, ${all.length} rounds:\n\n${table(["", "median ms", "fastest", "slowest", "beside the first row"], rows)}\n`;
}
