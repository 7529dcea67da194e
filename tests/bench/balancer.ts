import { lookup } from "node:dns/promises";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { startChild } from "@/local/child";
import { findFreePort } from "@/local/free-port";
import { findNginx } from "@/local/nginx";

export interface Balancer {
  pid: number;
  /** Of each group of ports, in their order: where its requests are taken. */
  origins: string[];
  stop(): Promise<void>;
}

/**
 * Starts one nginx that hands requests to the ports of a group in turn, over connections that are kept.
 * @throws where there is no nginx
 */
export async function startBalancer(groups: readonly (readonly number[])[]): Promise<Balancer> {
  const nginx = findNginx();
  if (nginx === null)
    throw new Error(
      "This suite needs nginx as the balancer, and there is none. On Debian: apt-get install nginx-light.",
    );
  const directory = await mkdtemp(join(tmpdir(), "latchkey-balancer-"));
  // `next start -H localhost` listens on the first address of that name.
  const { address, family } = await lookup("localhost");
  const host = family === 6 ? `[${address}]` : address;
  const ports: number[] = [];
  while (ports.length < groups.length) ports.push(await findFreePort());
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  const sites = groups.map(
    (servers, at) => `
      upstream group${at} { ${servers.map((port) => `server ${host}:${port};`).join(" ")} keepalive 128; }
      server {
        listen 127.0.0.1:${ports[at]};
        keepalive_requests 10000000;
        location / { proxy_pass http://group${at}; proxy_http_version 1.1; proxy_set_header Connection ""; }
      }`,
  );
  const user = process.getuid?.() === 0 ? "user root;" : "";
  await writeFile(
    join(directory, "nginx.conf"),
    `daemon off; ${user} worker_processes 1; pid ${directory}/pid; error_log stderr crit; events {}
     http { access_log off; ${paths.join(" ")} ${sites.join("\n")} }`,
  );
  const child = await startChild(nginx, ["-c", join(directory, "nginx.conf"), "-p", directory], {
    environment: { NODE_ENV: process.env.NODE_ENV },
    stdio: ["ignore", "inherit", "inherit"],
    stopSignals: ["SIGTERM", "SIGKILL"],
    graceMilliseconds: 5_000,
    signals: "process",
  });
  const stop = async () => {
    await child.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const origins = ports.map((port) => `http://127.0.0.1:${port}`);
  const ended = child.exited.then(() => "ended" as const);
  while ((await Promise.race([ended, answers(origins[0] ?? "")])) === false) await sleep(20);
  if (await Promise.race([ended, sleep(0, null)])) {
    await stop();
    throw new Error("nginx has ended instead of serving.");
  }
  return { pid: child.pid, origins, stop };
}

const answers = (origin: string) =>
  fetch(origin).then(
    () => true,
    () => false,
  );
