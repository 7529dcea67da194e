import { createEndpoint } from "@/server/http/endpoint";

import { everyMethod } from "../../every-method";

/** Says that the process answers. It checks nothing else, so that an outage elsewhere does not end a healthy process. */
const live = createEndpoint({ GET: () => Response.json({ status: "ok" }) });

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(live);

export const dynamic = "force-dynamic";
