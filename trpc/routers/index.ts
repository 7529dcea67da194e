import { createRouter } from "../init";
import { apiKeysRouter } from "./api-keys";

export const appRouter = createRouter({ apiKeys: apiKeysRouter });

export type AppRouter = typeof appRouter;
