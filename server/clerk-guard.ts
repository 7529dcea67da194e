const publishableKeyName = "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY";
const secretKeyName = "CLERK_SECRET_KEY";

/** The local sign-in's key names a host under `.invalid`, which no real Clerk instance can have. */
function isLocalPublishableKey(key: string): boolean {
  try {
    return atob(key.split("_")[2] ?? "").endsWith(".invalid$");
  } catch {
    return false;
  }
}

/**
 * Refuses a production build or start with the local sign-in, whose passwords are public, and a production start without
 * both Clerk keys; a build may come before the keys. Throws an Error that names the variable. Not for development.
 */
export function assertClerkKeys(env: Record<string, string | undefined>, phase: "build" | "start"): void {
  if (isLocalPublishableKey(env[publishableKeyName] ?? "") && env.ALLOW_LOCAL_CLERK !== "e2e-only")
    throw new Error(
      `${publishableKeyName} belongs to the local sign-in, whose passwords are public: a production ${phase} needs a real one. ` +
        "ALLOW_LOCAL_CLERK=e2e-only lets end-to-end tests pass.",
    );
  if (phase === "build") return;
  for (const name of [publishableKeyName, secretKeyName]) {
    if (!env[name]) throw new Error(`${name} is not set: a production start needs both Clerk keys.`);
  }
}
