import { context, trace, type TracerProvider } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { revokeApiKey, revokeAllApiKeys, verifyApiKey } from "@/server/keys";
import { revokeSelf } from "@/server/keys/revoke-self";
import { hashSecret, mintSecret } from "@/server/keys/secret";
import { createKeyOf, newCaller, startTestServer, useTestServer } from "@/tests/support/domain";

const exporter = new InMemorySpanExporter();

function register(
  provider: TracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
) {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
}

describe("a span of OpenTelemetry", () => {
  const server = useTestServer("embedded");

  afterEach(() => {
    trace.disable();
    context.disable();
    exporter.reset();
    server().redisProxy.decide = () => "pass";
  });

  async function newKey() {
    const caller = newCaller();
    return { caller, ...(await createKeyOf(server(), caller)) };
  }
  /** What was traced since the last call, in the order in which the spans have ended. */
  function takeSpans(): ReadableSpan[] {
    const spans = exporter.getFinishedSpans();
    exporter.reset();
    return spans;
  }
  const told = (spans: readonly ReadableSpan[]) =>
    spans.map(({ name, attributes, status }) => ({ name, status: status.code, ...attributes }));

  describe("where the host has registered a tracer provider", () => {
    beforeEach(() => register());

    it("a verification tells its outcome and whether the cache had the key", async () => {
      const { caller, key, secret } = await newKey();
      await verifyApiKey(server(), secret);
      await server().runDeferred();
      await verifyApiKey(server(), secret);
      const valid = { name: "latchkey.verify", status: 0, "latchkey.outcome": "valid", "latchkey.key_id": key.id };
      expect(told(takeSpans())).toEqual([
        { ...valid, "latchkey.cache": "miss" },
        { ...valid, "latchkey.cache": "hit" },
      ]);
      await revokeApiKey(server(), caller, key);
      takeSpans();
      await verifyApiKey(server(), secret);
      await verifyApiKey(server(), "no key at all");
      expect(told(takeSpans())).toEqual([
        { name: "latchkey.verify", status: 0, "latchkey.outcome": "revoked", "latchkey.cache": "hit" },
        { name: "latchkey.verify", status: 0, "latchkey.outcome": "malformed" },
      ]);
    });

    it("a verification that nobody can decide is an error, told by its name alone", async () => {
      const { secret } = await newKey();
      const instance = await startTestServer("embedded", server().postgresProxy.url);
      instance.postgresProxy.sever();
      await expect(verifyApiKey(instance, secret)).rejects.toThrow();
      expect(told(takeSpans())).toEqual([
        {
          name: "latchkey.verify",
          status: 2,
          "latchkey.cache": "miss",
          "latchkey.outcome": "unavailable",
          "error.type": "VerificationUnavailableError",
        },
      ]);
      await instance.close();
    });

    it("a revocation tells by whom it was and how far it has come", async () => {
      const first = await newKey();
      await revokeApiKey(server(), first.caller, first.key);
      const second = await newKey();
      await createKeyOf(server(), second.caller);
      server().redisProxy.decide = () => "refuse";
      await revokeAllApiKeys(server(), second.caller);
      server().redisProxy.decide = () => "pass";
      const third = await newKey();
      await revokeSelf(server(), third.secret);
      const name = "latchkey.revoke";
      expect(told(takeSpans())).toEqual([
        {
          name,
          status: 0,
          "latchkey.revoked_by": "owner",
          "latchkey.key_count": 1,
          "latchkey.key_id": first.key.id,
          "latchkey.effect": "effective",
        },
        { name, status: 0, "latchkey.revoked_by": "owner", "latchkey.key_count": 2, "latchkey.effect": "pending" },
        { name, status: 0, "latchkey.revoked_by": "key", "latchkey.effect": "effective" },
      ]);
    });

    it("the span is a part of the host's trace, and what happens inside is a part of the span", async () => {
      const { secret } = await newKey();
      const inside: (string | undefined)[] = [];
      const { slots } = server();
      const watched = {
        ...server(),
        slots: {
          ...slots,
          read: (hash: Buffer) => {
            inside.push(trace.getActiveSpan()?.spanContext().spanId);
            return slots.read(hash);
          },
        },
      };
      await trace.getTracer("host").startActiveSpan("GET /reports", async (span) => {
        await verifyApiKey(watched, secret);
        span.end();
      });
      const [verification, request] = takeSpans();
      expect(verification?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
      expect(inside).toEqual([verification?.spanContext().spanId]);
    });

    it("no span holds a secret, a hash, how a key is shown, its name or its owner", async () => {
      const { caller, key, secret } = await newKey();
      const unknown = mintSecret({ prefix: "lk", environment: "test" });
      await verifyApiKey(server(), secret);
      await verifyApiKey(server(), unknown);
      await revokeApiKey(server(), caller, key);
      await revokeSelf(server(), secret);
      const another = await newKey();
      server().redisProxy.decide = () => "refuse";
      server().postgresProxy.decide = (statement) => (statement.includes("latchkey.revoke_keys") ? "break" : "pass");
      await expect(revokeApiKey(server(), another.caller, another.key)).rejects.toThrow();
      server().postgresProxy.decide = () => "break";
      await expect(verifyApiKey(server(), another.secret)).rejects.toThrow();
      server().postgresProxy.decide = () => "pass";
      const spans = takeSpans();
      expect(spans.map(({ status }) => status.code)).toEqual([0, 0, 0, 0, 2, 2]);
      const written = JSON.stringify(
        spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]),
      );
      const values = [secret, unknown, another.secret].flatMap((one) => [
        one,
        hashSecret(one).toString("hex"),
        hashSecret(one).toString("base64"),
      ]);
      for (const value of [...values, key.display, key.name, caller.ownerId, another.caller.ownerId])
        expect(written).not.toContain(value);
    });

    it("a hit is still one request to Redis and none to Postgres", async () => {
      const { secret } = await newKey();
      await verifyApiKey(server(), secret);
      await server().runDeferred();
      server().redisProxy.requests.length = 0;
      server().postgresProxy.statements.length = 0;
      expect((await verifyApiKey(server(), secret)).valid).toBe(true);
      expect(server().redisProxy.requests).toHaveLength(1);
      expect(server().postgresProxy.statements).toEqual([]);
    });
  });

  describe("a tracer that fails", () => {
    const broken = (fail: string) => {
      const failing = (name: string) => () => {
        if (name === fail) throw new Error("broken");
      };
      const span = { setAttribute: failing("setAttribute"), setStatus: failing("setStatus"), end: failing("end") };
      const startActiveSpan = (_name: string, run: (span: unknown) => unknown) => {
        failing("start")();
        const result = run(span);
        failing("after")();
        return result;
      };
      const getTracer = () => {
        failing("getTracer")();
        return { startActiveSpan };
      };
      return { getTracer } as unknown as TracerProvider;
    };

    it.each(["getTracer", "start", "after", "setAttribute", "end"])(
      "in %s changes no answer, and nothing is done twice",
      async (fail) => {
        const { caller, key, secret } = await newKey();
        register(broken(fail));
        server().redisProxy.requests.length = 0;
        expect((await verifyApiKey(server(), secret)).valid).toBe(true);
        expect(server().redisProxy.requests).toHaveLength(1);
        expect((await revokeApiKey(server(), caller, key)).effect.status).toBe("effective");
      },
    );
  });

  describe("where the host has none", () => {
    it("nothing is traced, and a provider that comes later is used from then on", async () => {
      const { secret } = await newKey();
      await verifyApiKey(server(), secret);
      register();
      expect(takeSpans()).toEqual([]);
      await verifyApiKey(server(), secret);
      expect(takeSpans()).toHaveLength(1);
    });
  });
});
