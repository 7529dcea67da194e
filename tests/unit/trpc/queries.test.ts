import { QueryClient } from "@tanstack/react-query";
import type { KeyEvent } from "latchkey";
import { expect, it } from "vitest";

import { queriesOf } from "@/trpc/latchkey/queries";

const exposed = (id: string, action: "revoke" | "report") =>
  ({ id, action: "key.exposed", detail: { source: "github", location: null, url: null, action } }) as const;

function exposureIn(events: readonly Pick<KeyEvent, "id" | "action" | "detail">[]) {
  const queries = queriesOf("user_1", {
    list: () => Promise.reject(new Error("not asked")),
    usage: () => Promise.reject(new Error("not asked")),
    history: ({ limit = 50 }) => Promise.resolve({ events: events.slice(0, limit) as KeyEvent[], nextCursor: null }),
  });
  return new QueryClient().query(queries.exposure("key_1", "1"));
}

it("what has ended a key is found behind every place where it was found when it was dead", async () => {
  const later = Array.from({ length: 20 }, (_, at) => exposed(`later ${at}`, "report"));
  const end = { id: "end", action: "key.revoked", detail: { by: "leak" } } as const;
  expect(await exposureIn([...later, end, exposed("first", "revoke")])).toMatchObject({ id: "first" });
});

it("a place where a key was only noted has not ended it", async () => {
  expect(await exposureIn([exposed("noted", "report")])).toBeNull();
  expect(await exposureIn([])).toBeNull();
});
