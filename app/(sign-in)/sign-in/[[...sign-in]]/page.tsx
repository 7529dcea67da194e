import { SignIn } from "@clerk/nextjs";

import { getLatchkey } from "@/server/latchkey";

import { SessionRenewal } from "./session-renewal";

export default async function SignInPage() {
  // This browser holds a session that the pages refuse. Clerk's form would send it back to them, again and again.
  return (await getLatchkey().clerk.isSessionOfAnotherSite()) ? <SessionRenewal /> : <SignIn />;
}
