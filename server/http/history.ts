import { z } from "zod";

import { chooseHistory, eventFormats, exportEvents } from "../history";
import type { ServerContext } from "../keys/context";
import { toDomainError } from "../platform/database";
import { describeFault } from "../platform/logger";
import { historyInput } from "../shared/inputs";
import { createEndpoint, type Endpoint } from "./endpoint";
import type { IdentityProvider } from "./identity";

const queryInput = z.object({
  format: z.enum(["csv", "ndjson"]),
  id: historyInput.unwrap().shape.id,
  /** The owner that the page was made for. A link cannot send the header that the procedures have. */
  owner: z.string().optional(),
});

const refuse = (status: number, error: string) => Response.json({ error }, { status });

/**
 * `GET /api/history`: downloads the history of the signed-in person's owner, or of one key, as CSV or NDJSON, newest first.
 *
 * It is read while it is sent, so it may be of any size. When the database fails on the way, the connection is broken off, so that nobody takes
 * a part for the whole.
 */
export function createHistoryEndpoint(ctx: ServerContext, identity: Pick<IdentityProvider, "readSession">): Endpoint {
  return createEndpoint({ GET: (request) => download(ctx, identity, request) });
}

async function download(
  ctx: ServerContext,
  identity: Pick<IdentityProvider, "readSession">,
  request: Request,
): Promise<Response> {
  const session = await identity.readSession();
  if (session.status === "unavailable") return refuse(503, "Service unavailable");
  if (session.status !== "signed_in") return refuse(401, "UNAUTHENTICATED");
  const query = queryInput.safeParse(Object.fromEntries(new URL(request.url).searchParams));
  if (!query.success) return refuse(400, `Invalid ${String(query.error.issues[0]?.path[0])}`);
  const { format, id, owner } = query.data;
  // As for the procedures: a request that was made for another account is of nobody.
  if (owner !== undefined && owner !== session.caller.ownerId) return refuse(401, "UNAUTHENTICATED");
  try {
    return await answer(ctx, { ownerId: session.caller.ownerId, id, format });
  } catch (fault) {
    const told = toDomainError(fault);
    if (told?.code === "API_KEY_NOT_FOUND") return refuse(404, "NOT_FOUND");
    ctx.logger.error({ fault: describeFault(fault) }, "history not read");
    return told ? refuse(503, "Service unavailable") : refuse(500, "Internal error");
  }
}

interface Download {
  ownerId: string;
  id: string | undefined;
  format: keyof typeof eventFormats;
}

async function answer(ctx: ServerContext, { ownerId, id, format }: Download): Promise<Response> {
  const { contentType, head, line } = eventFormats[format];
  const pages = exportEvents(ctx.db, await chooseHistory(ctx.db, { ownerId }, id));
  // Before the answer begins, so that a database that is down gets its status.
  const first = await pages.next();
  const text = (async function* () {
    yield head + (first.value ?? []).map(line).join("");
    for await (const page of pages) yield page.map(line).join("");
  })();
  return new Response(streamOf(text, ctx), {
    headers: {
      "Content-Type": contentType,
      "Content-Disposition": `attachment; filename="api-key-history.${format}"`,
      "X-Content-Type-Options": "nosniff",
    },
  });
}

/** Asks for the next part only when the last one was taken. */
function streamOf(
  text: AsyncGenerator<string, void>,
  { logger }: Pick<ServerContext, "logger">,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await text.next();
          if (done) controller.close();
          else controller.enqueue(encoder.encode(value));
        } catch (fault) {
          logger.error({ fault: describeFault(fault) }, "history broken off");
          controller.error(new Error("the history could not be read to its end"));
        }
      },
      cancel: () => text.return().then(() => undefined),
    },
    { highWaterMark: 0 },
  );
}
