import { createDocument, type ZodOpenApiResponseObject } from "zod-openapi";

import { originHeaders } from "../gateway/origin-headers";
import { invalidateCacheInput } from "../shared/inputs";
import {
  effectSchema,
  githubLabelSchema,
  githubMatchSchema,
  introspectionSchema,
  keyEventSchema,
  leakReportSchema,
  problemSchema,
  readinessSchema,
  usesSchema,
  whoamiSchema,
} from "./schemas";
import { z } from "zod";

const json = (description: string, schema: z.ZodType): ZodOpenApiResponseObject => ({
  description,
  content: { "application/json": { schema } },
});
const problem = (description: string): ZodOpenApiResponseObject => ({
  description,
  content: { "application/problem+json": { schema: problemSchema } },
});
const keyRefusals = {
  "400": problem("`ambiguous_credentials`: two different keys."),
  "401": problem("`missing_api_key`, `invalid_api_key`, `api_key_revoked` or `api_key_expired`."),
  "503": problem("`verification_unavailable`: no verdict, the key may be good."),
};
const leakRefusals = {
  "413": problem("`body_too_large`."),
  "422": problem("`invalid_body`."),
};
const secretEnd = {
  "API-Key-Expires": {
    description: "When this secret ends, in seconds since the epoch (a Date of RFC 9651). Absent: it has no end.",
    schema: { type: "string" as const, examples: ["@1795000000"] },
  },
};
const questionSchema = z.object({
  token: z.string(),
  nonce: z.string().optional().meta({ description: "16 to 64 letters, digits and dashes, told back in a header." }),
  scope: z.string().optional().meta({
    description: "With a nonce: the scopes that a route needs. The call then counts against the owner's limit.",
  }),
});
const textHeader = (description: string) => ({ description, schema: { type: "string" as const } });
/** Only for a question with a nonce. */
const gatewayHeaders = {
  [originHeaders.nonce]: textHeader("The nonce of the question."),
  [originHeaders.refusal]: textHeader("With a nonce: why the key or the call is refused."),
  [originHeaders.access]: textHeader("With a nonce: `required` or `everybody`, who may have keys."),
};
const byKey = [{ bearerKey: [] }, { headerKey: [] }];
const errorBody = z.strictObject({ error: z.string() }).meta({ id: "OriginalError" });

/** Describes the HTTP side as OpenAPI 3.1, from the schemas of its answers. @param origin where the app is served. @param base what the paths begin with. */
export function createOpenApiDocument(origin: string, base = "/api") {
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "Latchkey",
      version: "1.0.0",
      description: "API keys that stop working the moment they are revoked.",
    },
    servers: [{ url: origin }],
    components: {
      securitySchemes: {
        bearerKey: { type: "http", scheme: "bearer", description: "An API key." },
        headerKey: { type: "apiKey", in: "header", name: "X-API-Key", description: "An API key." },
        introspectionSecret: { type: "http", scheme: "bearer", description: "INTROSPECTION_SECRET" },
        clerkSession: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "A Clerk session token." },
      },
    },
    paths: {
      [`${base}/v1/whoami`]: {
        get: {
          operationId: "whoami",
          summary: "Which key is this, and whose?",
          security: byKey,
          responses: {
            "200": { ...json("The key is accepted.", whoamiSchema), headers: secretEnd },
            ...keyRefusals,
            "403": problem("`api_access_required`: the owner's plan does not include API access."),
            "429": problem("`rate_limited`, with Retry-After."),
          },
        },
        delete: {
          operationId: "revokeSelf",
          summary:
            "Revokes the key that is sent, or only the secret where a rotation is under way and it is not the current one. Repeatable.",
          security: byKey,
          responses: { "200": json("The key is revoked, or the secret was before.", effectSchema), ...keyRefusals },
        },
      },
      [`${base}/v1/introspect`]: {
        post: {
          operationId: "introspect",
          summary: "Token introspection, RFC 7662. Not there unless INTROSPECTION_SECRET is set.",
          security: [{ introspectionSecret: [] }],
          requestBody: {
            required: true,
            content: { "application/x-www-form-urlencoded": { schema: questionSchema } },
          },
          responses: {
            "200": { ...json("What is known of the key.", introspectionSchema), headers: gatewayHeaders },
            "400": json("`invalid_request`: there is no token.", errorBody),
            "401": json("The secret is missing or wrong.", errorBody),
            "503": json("No verdict, the key may be good.", errorBody),
          },
        },
      },
      [`${base}/v1/introspect/uses`]: {
        post: {
          operationId: "countUses",
          summary: "Takes in uses that a verifier elsewhere has counted. Not there unless INTROSPECTION_SECRET is set.",
          security: [{ introspectionSecret: [] }],
          requestBody: { required: true, content: { "application/json": { schema: usesSchema } } },
          responses: {
            "204": { description: "They are counted; hashes that no key has are passed over." },
            "400": json("`invalid_request`: another body.", errorBody),
            "401": json("The secret is missing or wrong.", errorBody),
            "503": json("Nothing was counted.", errorBody),
          },
        },
      },
      [`${base}/v1/leaks`]: {
        post: {
          operationId: "reportLeak",
          summary: "Ends keys that somebody has found where they do not belong. Repeatable.",
          security: [],
          requestBody: { required: true, content: { "application/json": { schema: leakReportSchema } } },
          responses: {
            "202": json("Everything is committed. It does not say what the credentials were.", z.strictObject({})),
            ...leakRefusals,
            "429": problem("`rate_limited`, with Retry-After."),
            "503": problem("`verification_unavailable`: send it again."),
          },
        },
      },
      [`${base}/v1/leaks/github`]: {
        post: {
          operationId: "reportLeakByGithub",
          summary: "GitHub's secret scanning partner protocol. Not there unless GITHUB_SECRET_SCANNING is on.",
          security: [],
          requestParams: {
            header: z.object({
              "Github-Public-Key-Identifier": z.string(),
              "Github-Public-Key-Signature": z
                .string()
                .meta({ description: "ECDSA with P-256 and SHA-256 over the body, in base64." }),
            }),
          },
          requestBody: {
            required: true,
            content: { "application/json": { schema: z.array(githubMatchSchema).max(10_000) } },
          },
          responses: {
            "200": json("One label for each match, in the same order.", z.array(githubLabelSchema)),
            "401": problem("`invalid_signature`: it is missing or wrong."),
            "404": problem("`leaks_off`."),
            ...leakRefusals,
            "503": problem("`keys_unavailable` or `verification_unavailable`: send it again."),
          },
        },
      },
      [`${base}/invalidate-user-api-key-cache`]: {
        post: {
          operationId: "invalidateCache",
          summary: "Discards what is cached for a key's hash.",
          security: [{ clerkSession: [] }],
          requestBody: {
            required: true,
            content: { "application/json": { schema: z.object(invalidateCacheInput.shape) } },
          },
          responses: {
            "200": json("Nothing cached before this call is used.", z.strictObject({ ok: z.literal(true) })),
            "401": json("No valid session.", errorBody),
            "403": json("The origin or the owner is another.", errorBody),
            "422": json("The body is not valid.", errorBody),
            "429": json("More than 60 calls a minute.", errorBody),
            "503": json("Not confirmed, or ownership cannot be checked.", errorBody),
          },
        },
      },
      [`${base}/history`]: {
        get: {
          operationId: "downloadHistory",
          summary: "The whole history of the owner's keys, or of one key, newest first.",
          security: [{ clerkSession: [] }],
          requestParams: {
            query: z.object({
              format: z.enum(["csv", "ndjson"]),
              id: z.string().optional().meta({ description: "A key's id. Absent: all keys, and the owner." }),
              owner: z.string().optional().meta({ description: "Refuses the session of another owner." }),
            }),
          },
          responses: {
            "200": {
              description: "It is sent while it is read. Broken off: a part is missing.",
              content: { "text/csv": { schema: z.string() }, "application/x-ndjson": { schema: keyEventSchema } },
            },
            "400": json("The query is not valid.", errorBody),
            "401": json("No valid session, or of another owner.", errorBody),
            "404": json("The owner has no such key.", errorBody),
            "503": json("It cannot be read right now.", errorBody),
          },
        },
      },
      [`${base}/health/live`]: {
        get: {
          operationId: "live",
          summary: "The process answers.",
          responses: { "200": json("It does.", z.strictObject({ status: z.literal("ok") })) },
        },
      },
      [`${base}/health/ready`]: {
        get: {
          operationId: "ready",
          summary:
            "Whether Postgres and Redis are reached, how long the oldest purge has waited, and what this process has done.",
          responses: { "200": json("Both are.", readinessSchema), "503": json("One is not.", readinessSchema) },
        },
      },
    },
  });
}
