/** `latchkey/clerk`: the sign-in of an app that uses Clerk with Next. */
export { type Clerk, type ClerkOptions, createClerk } from "./clerk";
