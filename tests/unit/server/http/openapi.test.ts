import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";

import { createOpenApiDocument } from "@/server/http/openapi";

describe("the OpenAPI description", () => {
  it("is valid OpenAPI 3.1", async () => {
    const document = JSON.parse(JSON.stringify(createOpenApiDocument("https://app.example.com"))) as Record<
      string,
      unknown
    >;
    const validator = new Validator();
    expect(await validator.validate(document)).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
    // The validator is not one that says yes to everything.
    expect((await new Validator().validate({ ...document, paths: { "/x": { get: { responses: 5 } } } })).valid).toBe(
      false,
    );
  });

  it("describes each endpoint for programs, and that introspection never says why", () => {
    const document = createOpenApiDocument("https://app.example.com");
    expect(Object.keys(document.paths ?? {})).toEqual([
      "/api/v1/whoami",
      "/api/v1/introspect",
      "/api/v1/introspect/uses",
      "/api/v1/leaks",
      "/api/v1/leaks/github",
      "/api/invalidate-user-api-key-cache",
      "/api/history",
      "/api/health/live",
      "/api/health/ready",
    ]);
    // What whoami and introspection answer as `secret` is which of the key's secrets was sent. A report of uses is no answer.
    const { WhoAmI, Introspection, CountedUses: _report, ...schemas } = document.components?.schemas ?? {};
    expect(JSON.stringify(schemas)).not.toMatch(/"reason"|"hash"|"secret"/);
    expect(JSON.stringify([WhoAmI, Introspection])).not.toMatch(/"reason"|"hash"/);
    const secret = { properties: { secret: { enum: ["current", "previous"] } } };
    expect([WhoAmI, Introspection]).toMatchObject([secret, { oneOf: [{}, secret] }]);
  });
});
