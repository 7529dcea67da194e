import { createLatchkey, type Latchkey } from "latchkey";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createApiKey, openServer, revokeApiKey } from "@/server/keys";

import { newCaller, newKeyInput } from "../support/server-instance";
import { beginHost } from "./adopt";
import type { Host } from "./host";
import { type Recipe, readRecipe } from "./recipe";
import { type Services, startServices } from "./services";

describe("docs/adopt/node.md, in an empty folder", () => {
  let recipe: Recipe;
  let services: Services;
  let host: Host;
  /** The app with the page, which shares Redis and Postgres with the server of the recipe. */
  let app: Latchkey<"reports:read">;
  beforeAll(async () => {
    console.log("docs/adopt/node.md");
    recipe = await readRecipe("docs/adopt/node.md");
    services = await startServices();
    host = await beginHost(services);
    await host.follow(recipe.get("The server"));
    await host.follow(recipe.get("Settings"));
    await host.follow(recipe.get("Start it")?.slice(0, -1));
    const { UPSTASH_REDIS_REST_URL: url = "", UPSTASH_REDIS_REST_TOKEN: token = "" } = services.settings;
    app = createLatchkey({
      secretFormat: { prefix: "lk", environment: "live" },
      databaseUrl: services.databaseUrl,
      redis: { url, token, prefix: "latchkey:" },
      scopes: ["reports:read"],
    });
  });
  afterAll(async () => {
    await app.close();
    await host.remove();
    await services.stop();
  });

  it("its server accepts a key of the app until the app revokes it", async () => {
    const server = openServer(app.server);
    const caller = newCaller({ hasAccessClaim: true });
    const { key, secret } = await createApiKey(server, caller, newKeyInput({}));
    const call = async (headers: Record<string, string>) => {
      const response = await fetch(`http://localhost:${services.appPort}/`, { headers });
      return { status: response.status, ...((await response.json()) as object) };
    };
    const start = recipe.get("Start it")?.at(-1);
    if (start?.kind !== "command") throw new Error("The recipe does not end with a command that serves.");
    await host.serve(start.command, async () => {
      expect(await call({})).toMatchObject({ status: 401, code: "missing_api_key" });
      expect(await call({ authorization: `Bearer ${secret}` })).toEqual({ status: 200, ownerId: caller.ownerId });
      const { effect } = await revokeApiKey(server, caller, { id: key.id });
      expect(effect.status).toBe("effective");
      expect(await call({ authorization: `Bearer ${secret}` })).toMatchObject({ status: 401, code: "api_key_revoked" });
    });
  });
});
