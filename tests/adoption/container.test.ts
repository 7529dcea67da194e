import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { beginHost } from "./adopt";
import { followDockerfile } from "./dockerfile";
import type { Host } from "./host";
import { readRecipe } from "./recipe";
import { type Services, startServices } from "./services";
import { createCallAndRevoke } from "./story";

const folder = "docs/adopt/container";

describe("docs/adopt/container.md, without a container", () => {
  let services: Services;
  let host: Host;
  let image: Awaited<ReturnType<typeof followDockerfile>>;
  beforeAll(async () => {
    console.log("docs/adopt/container.md");
    services = await startServices();
    host = await beginHost(services);
    const app = await readRecipe("docs/adopt/next-app.md");
    for (const section of ["The app", "Settings"]) await host.follow(app.get(section));
    // Neither the migrations nor a server: here the image brings both.
    await host.follow(app.get("Four commands")?.slice(0, 2));
    await host.follow(app.get("One line by hand"));
    await host.follow((await readRecipe("docs/adopt/container.md")).get("One more line"));
    for (const file of await readdir(folder)) await copyFile(join(folder, file), host.path(file));
    const run = (command: string, cwd: string, environment: Record<string, string>) =>
      // The package is in no public registry yet.
      host.run(command, { cwd, environment: { ...environment, npm_config_registry: inject("registryUrl") } });
    image = await followDockerfile(host.path("Dockerfile"), host.path("."), services.settings, run);
  });
  afterAll(async () => {
    await image.remove();
    await host.remove();
    await services.stop();
  });

  const stageOf = (name: string) => {
    const stage = image.stages.get(name);
    if (!stage) throw new Error(`The Dockerfile has no stage ${name}.`);
    return { ...stage, cwd: join(stage.folder, stage.workdir) };
  };

  it("the image that serves holds no settings, runs not as root, and has the health check that is told", async () => {
    const { cwd, user, healthcheck } = stageOf("server");
    expect(user).toBe("node");
    expect(healthcheck.join(" ")).toContain("/api/health/live");
    expect((await readdir(cwd)).filter((name) => name.startsWith(".env"))).toEqual([]);
  });

  it("migrations are a step of their own, the server is healthy, and a revoked key is refused", async () => {
    const { command: migration, ...migrate } = stageOf("migrate");
    const { command, healthcheck, ...server } = stageOf("server");
    const { appPort, origin } = services;
    const settings = settingsOf(services);
    await host.run(shell(migration), { cwd: migrate.cwd, environment: settings });
    const environment = { ...server.environment, ...settings, PORT: String(appPort), HOSTNAME: "localhost" };
    const { before, after } = await host.serve(
      shell(command),
      async () => {
        await host.run(shell(healthcheck), { cwd: server.cwd, environment });
        return createCallAndRevoke(origin, "/api/v1/whoami");
      },
      { cwd: server.cwd, environment },
    );
    expect(before.status).toBe(200);
    expect(after).toMatchObject({ status: 401, body: { code: "api_key_revoked" } });
    await expect(host.run(shell(healthcheck), { cwd: server.cwd, environment })).rejects.toThrow("ended with 1");
  });
});

/** As compose.yaml has them: by REDIS_URL, where there is a redis-server. */
function settingsOf({ settings, redisUrl }: Services): Record<string, string> {
  if (redisUrl === null) return settings;
  const { UPSTASH_REDIS_REST_URL: _url, UPSTASH_REDIS_REST_TOKEN: _token, ...others } = settings;
  return { ...others, REDIS_URL: redisUrl };
}

const shell = (words: string[]) => words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
