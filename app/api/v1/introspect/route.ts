import { getEnvironment } from "@/server/env";
import { introspect } from "@/server/gateway/introspect";

import { getGatewayContext } from "../../gateway";

/** RFC 7662, for gateways that share INTROSPECTION_SECRET with this app. */
export function POST(request: Request): Promise<Response> {
  return introspect(getGatewayContext(), getEnvironment().INTROSPECTION_SECRET, request);
}
