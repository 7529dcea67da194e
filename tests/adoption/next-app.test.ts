import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type Adoption, adopt, expectUntouched } from "./adopt";
import { createAndReport, createCallAndRevoke, readWhatIsMissing } from "./story";

describe("docs/adopt/next-app.md, in a fresh app", () => {
  let adoption: Adoption;
  beforeAll(async () => {
    adoption = await adopt("docs/adopt/next-app.md", { then: ["One line by hand", "Protect a route"] });
  }, 900_000);
  afterAll(() => adoption.stop());

  it("leaves the app's own compiler, linter and build as clean as they were", () => {
    expect(adoption.after).toEqual(adoption.before);
  });

  it("touches no file of the app but its settings and its list of packages, and asks for one line by hand", () => {
    expectUntouched(adoption, ".env.local", ["One line by hand", 1]);
  });

  it("a key that was created on the page calls the app's route until it is revoked", async () => {
    const { host, services } = adoption;
    const { before, after } = await host.serve("npm start -- -H localhost", () =>
      createCallAndRevoke(services.origin, "/api/reports"),
    );
    expect(before).toMatchObject({ status: 200, body: { ownerId: expect.stringMatching(/^user_/) as string } });
    expect(after).toMatchObject({ status: 401, body: { code: "api_key_revoked" } });
  });

  it("a key that a stranger reports on the page /leaked is refused by the app's route", async () => {
    const { host, services } = adoption;
    const answer = await host.serve("npm start -- -H localhost", () =>
      createAndReport(services.origin, "/api/reports"),
    );
    expect(answer).toMatchObject({ status: 401, body: { code: "api_key_revoked" } });
  });

  it("the cron job of docs/adopt/vercel.md is answered to who has the secret, and to nobody else", async () => {
    const { host, services } = adoption;
    const vercel = /^```json\n([\s\S]*?)^```$/m.exec(await readFile("docs/adopt/vercel.md", "utf8"))?.[1] ?? "";
    const { crons } = JSON.parse(vercel) as { crons: [{ path: string }] };
    const call = async (secret: string) => {
      const headers = { authorization: `Bearer ${secret}` };
      const response = await fetch(services.origin + crons[0].path, { headers });
      await response.body?.cancel();
      return response.status;
    };
    const secret = services.settings.CRON_SECRET ?? "";
    const serve = { environment: { CRON_SECRET: secret } };
    const statuses = await host.serve(
      "npm start -- -H localhost",
      () => Promise.all([call(secret), call("no")]),
      serve,
    );
    expect(statuses).toEqual([200, 401]);
  });

  it("the tarball and the registry install the same package", async () => {
    const { host } = adoption;
    const installed = async () => {
      const folder = host.path("node_modules/latchkey/lib");
      const files = (await readdir(folder)).filter((name) => name.endsWith(".js")).sort();
      return Promise.all(files.map((name) => readFile(`${folder}/${name}`, "utf8")));
    };
    const fromRegistry = await installed();
    await host.run("npm uninstall latchkey");
    await host.run(`npm install ${inject("tarball")}`);
    expect(await installed()).toEqual(fromRegistry);
  });

  it("without ClerkProvider the app builds, and the page says what is missing", async () => {
    const { host, services } = adoption;
    const layout = await host.read("src/app/layout.tsx");
    await host.write("src/app/layout.tsx", layout.replace("<ClerkProvider>{children}</ClerkProvider>", "{children}"));
    await host.run("npm run build");
    const text = await host.serve("npm start -- -H localhost", () =>
      readWhatIsMissing(services.origin, services.cookies()),
    );
    expect(text).toContain("ClerkProvider");
  });
});
