import { describe, expect, it } from "vitest";

import { createEdgeVerifier } from "@/server/edge";

const options = {
  redis: { url: "https://redis.example.com", token: "token" },
  origin: "https://app.example.com",
  introspectionSecret: "i".repeat(32),
};

describe("the edge verifier's options", () => {
  it("may name this machine without TLS, and a path where the origin's endpoints are", () => {
    createEdgeVerifier(options);
    createEdgeVerifier({ ...options, origin: "http://localhost:3000", basePath: "gateway/" });
  });

  it.each([
    ["redis.url", { redis: { url: "http://redis.example.com", token: "hidden" } }],
    ["redis.url", { redis: { url: "https://user:hidden@redis.example.com", token: "token" } }],
    ["redis.token", { redis: { url: "https://redis.example.com", token: "" } }],
    ["origin", { origin: "http://app.example.com" }],
    ["origin", { origin: "https://app.example.com/hidden" }],
    ["origin", { origin: "app.example.com" }],
    ["origin", { origin: undefined as unknown as string }],
    ["introspectionSecret", { introspectionSecret: "hidden" }],
    ["introspectionSecret", { introspectionSecret: "hidden ".repeat(6) }],
  ])("a wrong %s is named, and its value is not repeated", (name, change) => {
    const create = () => createEdgeVerifier({ ...options, ...change });
    expect(create).toThrow(name);
    expect(create).not.toThrow("hidden");
  });
});
