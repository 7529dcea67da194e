import { getLatchkey } from "@/latchkey";
import { createEndpoint } from "@/server/http/endpoint";
import { checkReadiness } from "@/server/http/readiness";

import { everyMethod } from "../../every-method";

async function check(): Promise<Response> {
  const { isReady, ...readiness } = await checkReadiness(getLatchkey().context);
  return Response.json({ status: isReady ? "ok" : "unavailable", ...readiness }, { status: isReady ? 200 : 503 });
}

const ready = createEndpoint({ GET: check });

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(ready);

export const dynamic = "force-dynamic";
