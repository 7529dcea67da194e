/** `latchkey/trpc`: the procedures for a host's own tRPC root, or for a root of ours. */
export { type ApiKeysContext, createApiKeysRouter } from "./api-keys-router";
export { apiKeysErrorData, type ApiKeysErrorData } from "./errors";
export { createTrpcHandler } from "./handler";
export { protect } from "./protect";
export { type AppRouter, createAppRouter } from "./root";
