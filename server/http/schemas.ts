import "zod-openapi";

import { z } from "zod";

import { largestReport } from "../gateway/origin-headers";
import { actorKinds, keyEventActions } from "../shared/key-event";

/** The shapes of the HTTP side's answers, for the OpenAPI description and for types. */

const moment = z.iso.datetime();

export const effectSchema = z
  .discriminatedUnion("status", [
    z.strictObject({ status: z.literal("effective"), at: moment }),
    z.strictObject({ status: z.literal("pending"), guaranteedBy: moment }),
  ])
  .meta({
    id: "Effect",
    description:
      "How far a revocation has come. `effective`: no verification that starts after `at` accepts the key. `pending`: none that starts after `guaranteedBy` does.",
  });

export const whoamiSchema = z
  .strictObject({
    keyId: z.string(),
    ownerId: z.string().meta({ description: "A user, or an organisation." }),
    createdBy: z.string().meta({ description: "The user who has created the key." }),
    name: z.string(),
    environment: z.enum(["live", "test"]),
    scopes: z.array(z.string()),
    expiresAt: moment.nullable().meta({ description: "When this secret ends: by a rotation, or with its key." }),
    secret: z
      .enum(["current", "previous"])
      .meta({ description: "`previous`: a rotation has replaced it, and it ends soon." }),
  })
  .meta({ id: "WhoAmI" });

export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
  })
  .meta({ id: "Problem", description: "RFC 9457." });

const seconds = z.int().meta({ description: "Seconds since the epoch." });

export const introspectionSchema = z
  .discriminatedUnion("active", [
    z.strictObject({ active: z.literal(false) }),
    z.strictObject({
      active: z.literal(true),
      token_type: z.literal("Bearer"),
      sub: z.string().meta({ description: "The owner." }),
      client_id: z.string().meta({ description: "The id of the key." }),
      createdBy: z.string().meta({ description: "The user who has created the key." }),
      name: z.string().meta({ description: "The name of the key." }),
      environment: z.enum(["live", "test"]),
      secret: z.enum(["current", "previous"]).meta({ description: "As `whoami` tells it." }),
      requestsPerMinute: z.int().nullable().meta({ description: "The owner's limit for all keys. Null: none." }),
      scope: z.string().meta({ description: "Scopes, separated by spaces." }),
      createdAt: moment,
      expiresAt: moment.nullable().meta({ description: "When this secret ends, as `exp`." }),
      iat: seconds,
      exp: z.int().optional().meta({ description: "When this secret ends, in seconds since the epoch." }),
    }),
  ])
  .meta({ id: "Introspection", description: "RFC 7662." });

export const usesSchema = z
  .strictObject({
    uses: z
      .array(
        z.strictObject({
          hash: z.string().regex(/^[0-9a-f]{64}$/),
          count: z.int().min(1).max(1_000_000),
          lastUsedAt: z.int().min(0).max(8.64e15).meta({ description: "Milliseconds since the epoch." }),
        }),
      )
      .max(largestReport),
  })
  .meta({ id: "CountedUses", description: "Accepted requests, by secret and hour." });

export const keyEventSchema = z
  .strictObject({
    id: z.uuidv7().meta({ description: "The order of ids is the order of time." }),
    at: moment,
    action: z.enum(keyEventActions),
    keyId: z.string().nullable(),
    keyName: z.string().nullable().meta({ description: "The key's name at that time." }),
    actor: z.strictObject({
      kind: z.enum(actorKinds),
      id: z.string().nullable(),
      impersonatedBy: z.string().optional().meta({ description: "Who acted as this user." }),
    }),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .meta({ id: "KeyEvent" });

export const readinessSchema = z
  .strictObject({
    status: z.enum(["ok", "unavailable"]),
    postgres: z.enum(["ok", "unreachable"]),
    redis: z.enum(["ok", "unreachable"]),
    oldestPendingPurgeSeconds: z.int().nullable(),
    lastDrainSeconds: z.int().nullable(),
    leaksReceived: z.int(),
    events: z
      .strictObject({
        waiting: z.int().meta({ description: "It counts no further than 10,000." }),
        oldestSeconds: z.int().nullable(),
        givenUp: z.int().meta({ description: "After 3 days of attempts. It counts no further than 10,000." }),
        isRefused: z.boolean().meta({ description: "The receiver has answered 410: this process sends no more." }),
      })
      .nullable()
      .optional()
      .meta({ description: "Events that are to be sent. Absent where no address is set." }),
  })
  .meta({ id: "Readiness" });

export const githubMatchSchema = z
  .object({
    token: z.string(),
    type: z.string(),
    url: z.string().max(2_048).optional(),
    source: z.string().max(2_048).optional(),
  })
  .meta({ id: "GithubMatch" });

export const githubLabelSchema = z
  .strictObject({
    token_raw: z.string(),
    token_type: z.string(),
    label: z
      .enum(["true_positive", "false_positive"])
      .meta({ description: "`true_positive`: a key of ours, also one that was dead already." }),
  })
  .meta({ id: "GithubLabel" });

export const leakReportSchema = z
  .strictObject({
    credentials: z.array(z.string()).min(1).max(100).meta({ description: "What was found, each as a whole." }),
    url: z.string().max(2_048).optional().meta({ description: "Where it was found." }),
  })
  .meta({ id: "LeakReport" });
