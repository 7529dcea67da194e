/** `latchkey/http`: the gateway and the endpoints, on fetch's Request and Response. */
export { beforeExit } from "./before-exit";
export { type Endpoint, everyMethod } from "./endpoint";
export { createHandler } from "./handler";
export { prepareNodeRequests } from "./prepare-node-request";
export { type KeyedHandler, withApiKey } from "./with-api-key";
