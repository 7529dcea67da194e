import { expect, it } from "vitest";
import { z } from "zod";

import { newRequestId } from "@/app/(site)/settings/api-keys/secret/request-id";

it("a request id is a UUID that the server accepts, and each is another", () => {
  const ids = Array.from({ length: 1_000 }, newRequestId);
  for (const id of ids) expect(z.uuidv4().safeParse(id).success, id).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
});
