import { getLatchkey } from "@/latchkey";
import { createEndpoint, refuseWithStatus } from "@/server/http/endpoint";
import { readBacklog } from "@/server/outbox/queue";
import { bearsSecret } from "@/server/http/shared-secret";

import { everyMethod } from "../every-method";

const secret = () => getLatchkey().environment.METRICS_SECRET;

/** This process's metrics in Prometheus's text format. */
async function render(request: Request): Promise<Response> {
  if (!bearsSecret(request, secret())) return new Response(null, { status: 401 });
  const { db, metrics: processMetrics } = getLatchkey().context;
  const { text, contentType } = await processMetrics.render(await readBacklog(db));
  return new Response(text, { headers: { "Content-Type": contentType } });
}

const metrics = createEndpoint({ GET: render }, { isThere: () => secret() !== undefined, refuse: refuseWithStatus });

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(metrics);
