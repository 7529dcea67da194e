import { describe, expect, it } from "vitest";

import { cancelRotation, createApiKey, type CreatedApiKey, rotateApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { asTold, createKeyOf, newCaller, newKeyInput } from "@/tests/support/domain";
import { redisKinds } from "@/tests/support/services";

import { current, grace, isCommit, isPurge, previous, reused, revoked, useRotatingKeys } from "./rotating-keys";

describe.each(redisKinds)("rotation on %s", (redisKind) => {
  const { server, evict, verify, warm, makeDue, inputFor, rotate, waiting, refusePurges, stored } =
    useRotatingKeys(redisKind);

  describe("repeated", () => {
    it("mints another secret in the place of one that waits, and tells of what died", async () => {
      const { caller, key, old } = await waiting();
      await cancelRotation(server(), caller, key);
      const input = inputFor(key.id);
      const lost = await rotateApiKey(server(), caller, input);
      const repeated = await rotateApiKey(server(), caller, input);
      expect(repeated.replaced?.status).toBe("effective");
      expect(await verify(lost.secret)).toEqual(revoked);
      expect(await verify(old)).toMatchObject(current);
      expect(await verify(repeated.secret)).toMatchObject(current);
      await expect(rotateApiKey(server(), caller, input)).rejects.toMatchObject(reused);
    });

    it("without a grace tells the weakest effect of all that died, also in the answer that was lost", async () => {
      const { caller, key, old } = await waiting();
      refusePurges();
      const input = inputFor(key.id, 0);
      const lost = await rotateApiKey(server(), caller, input);
      server().redisProxy.decide = () => "pass";
      await makeDue();
      const oldHash = hashSecret(old).toString("hex");
      server().redisProxy.decide = (body) => (isPurge(body) && body.includes(oldHash) ? "refuse" : "pass");
      const repeated = await rotateApiKey(server(), caller, input);
      // One Redis request purges both, so neither is confirmed. The promise for the one that died last is the later one.
      if (lost.replaced?.status !== "pending" || repeated.replaced?.status !== "pending")
        throw new Error("none is confirmed");
      expect(repeated.replaced.guaranteedBy > lost.replaced.guaranteedBy).toBe(true);
      for (const dead of [old, lost.secret]) expect((await stored(dead))?.state).toBe("revoked");
      expect(await verify(repeated.secret)).toMatchObject(current);
    });

    it("is refused after 10 minutes from its first time, with another input or key, or after a use", async () => {
      const { caller, key } = await waiting();
      const other = await createKeyOf(server(), caller);
      const input = inputFor(key.id);
      await rotateApiKey(server(), caller, input);
      server().advance(400_000);
      const { secret } = await rotateApiKey(server(), caller, input);
      for (const wrong of [{ graceSeconds: 300 }, { graceSeconds: 0 }, { id: other.key.id }])
        await expect(rotateApiKey(server(), caller, { ...input, ...wrong })).rejects.toMatchObject(reused);
      await expect(createApiKey(server(), caller, newKeyInput({ requestId: input.requestId }))).rejects.toMatchObject(
        reused,
      );
      server().advance(200_000);
      await expect(rotateApiKey(server(), caller, input)).rejects.toMatchObject(reused);
      server().advance(-600_000);
      expect(await verify(secret)).toMatchObject(current);
    });

    it.each([
      [
        "in its slot",
        async (secret: string) => {
          await warm(secret);
        },
      ],
      [
        "written",
        async (secret: string) => {
          await warm(secret);
          await server().usage.flush();
          await evict(secret);
        },
      ],
    ])("without a grace is refused after a use that is %s", async (_title, use) => {
      const { caller, key } = await waiting();
      const input = inputFor(key.id, 0);
      const { secret } = await rotateApiKey(server(), caller, input);
      await use(secret);
      await expect(rotateApiKey(server(), caller, input)).rejects.toMatchObject(reused);
      expect(await verify(secret)).toMatchObject(current);
    });

    it("shares its requests with create, whose secret it may have replaced", async () => {
      for (const graceSeconds of [0, grace]) {
        const caller = newCaller();
        const createInput = newKeyInput();
        const created = await createApiKey(server(), caller, createInput);
        const sameRequest = { ...inputFor(created.key.id), requestId: createInput.requestId };
        await expect(rotateApiKey(server(), caller, sameRequest)).rejects.toMatchObject(reused);
        const { secret } = await rotate(caller, created, graceSeconds);
        if (graceSeconds > 0) await verify(secret);
        await expect(createApiKey(server(), caller, createInput)).rejects.toMatchObject(reused);
        expect(await verify(secret)).toMatchObject(current);
      }
    });

    it("at once, exactly one secret waits at the end", async () => {
      const { caller, key } = await waiting();
      const input = inputFor(key.id);
      const answers = await Promise.all(Array.from({ length: 4 }, () => rotateApiKey(server(), caller, input)));
      const states = await Promise.all(answers.map(async ({ secret }) => (await stored(secret))?.state));
      expect(states.toSorted()).toEqual(["revoked", "revoked", "revoked", "waiting"]);
    });

    it.each([grace, 0])(
      "finds out what became of its commit (grace %i), and keeps its secret and receipt",
      async (seconds) => {
        const { caller, key, old } = await waiting();
        let commits = 0;
        server().postgresProxy.decide = (statement) =>
          isCommit(statement) && commits++ === 0 ? "break after" : "pass";
        const rotated = await rotate(caller, { key }, seconds);
        expect(commits).toBe(2);
        expect(rotated.replaced?.status).toBe("effective");
        expect(await verify(rotated.secret)).toMatchObject(current);
        expect(await verify(old)).toMatchObject(seconds === 0 ? revoked : previous);
      },
    );

    it("never makes a hash valid again that a repeated call revoked while the outcome of its own commit was in doubt", async () => {
      const { caller, key } = await waiting();
      const input = inputFor(key.id);
      let commits = 0;
      let repeated: Promise<CreatedApiKey> | undefined;
      server().postgresProxy.decide = (statement) => {
        if (!isCommit(statement) || commits++ > 0) return "pass";
        repeated = rotateApiKey(server(), caller, input);
        return "break after";
      };
      await expect(asTold(rotateApiKey(server(), caller, input))).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
      const { secret } = (await repeated) ?? { secret: "" };
      expect(await verify(secret)).toMatchObject(current);
    });
  });
});
