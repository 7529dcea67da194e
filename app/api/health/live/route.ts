import { createEndpoint } from "@/server/http/endpoint";

import { everyMethod } from "../../every-method";

/** The process answers. Nothing else is asked, so that an outage elsewhere does not get a healthy process killed. */
const live = createEndpoint({ GET: () => Response.json({ status: "ok" }) });

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(live);

export const dynamic = "force-dynamic";
