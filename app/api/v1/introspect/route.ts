import { getLatchkey } from "@/latchkey";
import { createEndpoint } from "@/server/http/endpoint";
import { introspect, refuseIntrospection } from "@/server/http/introspect";

import { everyMethod } from "../../every-method";

const secret = () => getLatchkey().environment.INTROSPECTION_SECRET;

/** RFC 7662, for gateways that share INTROSPECTION_SECRET with this app. */
const introspection = createEndpoint(
  { POST: (request) => introspect(getLatchkey().context, secret(), request) },
  { isThere: () => secret() !== undefined, refuse: refuseIntrospection },
);

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(introspection);
