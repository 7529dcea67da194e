import { beforeEach, describe, expect, it, vi } from "vitest";

import { createOrganizationNames } from "@/server/clerk/organization-names";

const minute = 60_000;
const never = new Promise<never>(() => undefined);

describe("the names of organisations", () => {
  let now = 0;
  const read = vi.fn<(id: string) => Promise<string>>();
  const create = () => createOrganizationNames(read, () => now);

  beforeEach(() => {
    now = 0;
    read.mockReset();
  });

  it("are read once, also for many calls at once, and told to the first of them", async () => {
    read.mockResolvedValue("Acme");
    const names = create();
    expect(await Promise.all([names.nameOf("org_1"), names.nameOf("org_1")])).toEqual(["Acme", "Acme"]);
    now += minute - 1;
    expect(await names.nameOf("org_1")).toBe("Acme");
    expect(read.mock.calls).toEqual([["org_1"]]);
  });

  it("change in every process after a minute, without a call that waits", async () => {
    const names = create();
    read.mockResolvedValueOnce("Acme").mockResolvedValue("Acme Ltd");
    await names.nameOf("org_1");
    now += minute;
    expect(await names.nameOf("org_1")).toBe("Acme");
    await vi.waitFor(async () => expect(await names.nameOf("org_1")).toBe("Acme Ltd"));
  });

  it("change at once in the process that hears of it", async () => {
    const names = create();
    read.mockResolvedValueOnce("Acme").mockResolvedValue("Acme Ltd");
    await names.nameOf("org_1");
    await names.refresh("org_1");
    expect(await names.nameOf("org_1")).toBe("Acme Ltd");
  });

  it("of two organisations are told apart", async () => {
    read.mockImplementation((id) => Promise.resolve(`name of ${id}`));
    const names = create();
    expect([await names.nameOf("org_1"), await names.nameOf("org_2")]).toEqual(["name of org_1", "name of org_2"]);
  });

  it.each([
    ["fails", () => Promise.reject(new Error("unavailable"))],
    ["never ends", () => never],
  ])("stay as they were while a read %s", async (_title, outage) => {
    const names = create();
    read.mockResolvedValueOnce("Acme").mockImplementation(outage);
    await names.nameOf("org_1");
    now += 10 * minute;
    await names.refresh("org_1");
    expect(await names.nameOf("org_1")).toBe("Acme");
  });

  it.each([
    ["fails", () => Promise.reject(new Error("unavailable"))],
    ["never ends", () => never],
  ])(
    "are null while the first read %s, which is not repeated for each call, and told once one succeeds",
    async (_title, outage) => {
      const names = create();
      read.mockImplementation(outage);
      for (let call = 0; call < 3; call++) expect(await names.nameOf("org_1")).toBeNull();
      expect(read).toHaveBeenCalledTimes(1);
      read.mockResolvedValue("Acme");
      now += 5_000;
      expect(await names.nameOf("org_1")).toBe("Acme");
    },
  );

  it("that come too late for their call are told to the next", async () => {
    let answer: (name: string) => void = () => undefined;
    read.mockImplementation(() => new Promise((resolve) => (answer = resolve)));
    const names = create();
    expect(await names.nameOf("org_1")).toBeNull();
    answer("Acme");
    await vi.waitFor(async () => expect(await names.nameOf("org_1")).toBe("Acme"));
    expect(read).toHaveBeenCalledTimes(1);
  });

  it("are bounded: the one that came first makes room", async () => {
    read.mockImplementation((id) => Promise.resolve(`Name of ${id}`));
    const names = create();
    for (let number = 0; number < 10_001; number++) await names.nameOf(`org_${number}`);
    read.mockClear();
    await names.nameOf("org_10000");
    await names.nameOf("org_1");
    expect(read.mock.calls).toEqual([]);
    await names.nameOf("org_0");
    expect(read.mock.calls).toEqual([["org_0"]]);
  });
});
