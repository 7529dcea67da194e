import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Adoption, adopt, expectUntouched } from "./adopt";
import { createCallAndRevoke } from "./story";

const revokeButton = `"use client";

import { api } from "~/trpc/react";

export function RevokeButton({ id }: { id: string }) {
  const revoke = api.apiKeys.revoke.useMutation();
  const status: "effective" | "pending" | undefined = revoke.data?.effect.status;
  return <button onClick={() => revoke.mutate({ id })}>{status ?? "Revoke"}</button>;
}
`;

describe("docs/adopt/t3.md, in a fresh app", () => {
  let adoption: Adoption;
  beforeAll(async () => {
    adoption = await adopt("docs/adopt/t3.md", { then: ["Two lines by hand"], lint: false });
  });
  afterAll(() => adoption.stop());

  it("leaves the app's own compiler and build as clean as they were, with two lines by hand", () => {
    expect(adoption.after).toEqual(adoption.before);
    expectUntouched(adoption, ".env", ["Two lines by hand", 2]);
  });

  it("leaves the app its own versions of tRPC, zod and Drizzle", async () => {
    const versions = await adoption.host.run("npm ls @trpc/server zod drizzle-orm --depth 0");
    expect(versions).toMatch(/@trpc\/server@11\.19\.\d/);
    expect(versions).toMatch(/ zod@3\.25\.\d/);
    expect(versions).toMatch(/drizzle-orm@0\.41\.\d/);
  });

  it("the app's own client knows the procedures and their answers by type", async () => {
    const { host } = adoption;
    await host.write("src/app/_components/revoke-button.tsx", revokeButton);
    await host.run("npx tsc --noEmit");
    await host.write("src/app/_components/revoke-button.tsx", revokeButton.replace('"effective"', '"done"'));
    await expect(host.run("npx tsc --noEmit")).rejects.toThrow("revoke-button.tsx");
    await host.write("src/app/_components/revoke-button.tsx", revokeButton);
  });

  it("the app's Drizzle neither drops nor changes a table of Latchkey", async () => {
    const { host, recipe, services } = adoption;
    const before = await tablesOf(services.databaseUrl);
    expect(before.length).toBeGreaterThan(3);
    await host.follow(recipe.get("Drizzle beside Latchkey"));
    // With this it asks nothing before it drops something.
    await host.run("npx drizzle-kit push --force");
    expect(await tablesOf(services.databaseUrl)).toEqual(expect.arrayContaining(before) as string[]);
  });

  it("a key that was created on the page calls the app's API until it is revoked", async () => {
    const { host, services } = adoption;
    const { before, after } = await host.serve("npm start -- -H localhost", () =>
      createCallAndRevoke(services.origin, "/api/v1/whoami"),
    );
    expect(before.status).toBe(200);
    expect(after).toMatchObject({ status: 401, body: { code: "api_key_revoked" } });
  });
});

/** Every column of the schema `latchkey`. */
async function tablesOf(databaseUrl: string): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const query =
    "select table_name || '.' || column_name as name from information_schema.columns where table_schema = 'latchkey'";
  const { rows } = await client.query<{ name: string }>(query);
  await client.end();
  return rows.map((row) => row.name).sort();
}
