import { SignIn } from "@clerk/nextjs";

import { getLatchkey } from "@/latchkey";

import { SessionRenewal } from "./session-renewal";

export default async function SignInPage() {
  // Clerk's form would send this browser, which holds a session, straight back to the page that refuses it, and so without end.
  return (await getLatchkey().clerk.isSessionOfAnotherSite()) ? <SessionRenewal /> : <SignIn />;
}
