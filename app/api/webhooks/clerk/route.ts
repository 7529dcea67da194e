import { getLatchkey } from "@/latchkey";

import { everyMethod } from "../../every-method";

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod((request) => {
  const { clerk, context } = getLatchkey();
  return clerk.createWebhook(() => context)(request);
});
