import { frontendHostOf } from "./clerk-keys";

const publishableKeyName = "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY";
const secretKeyName = "CLERK_SECRET_KEY";

/** Clerk's settings that we hand to it ourselves. All others its packages read from the environment, as they are. */
const handedOver = ["CLERK_JWT_KEY", "CLERK_WEBHOOK_SIGNING_SECRET"];

/** The local sign-in's key names a host under `.invalid`, which no real Clerk instance can have. */
function isLocalPublishableKey(key: string): boolean {
  return frontendHostOf(key.trim())?.endsWith(".invalid") ?? false;
}

/**
 * The settings of Clerk that hold white space or stand in quotes. Trimming would not help: its packages read the environment
 * themselves, and what begins with NEXT_PUBLIC_ is compiled into the build.
 */
export function findSpoiltClerkSettings(env: Record<string, string | undefined>): string[] {
  return Object.entries(env).flatMap(([name, value = ""]) =>
    /^(?:NEXT_PUBLIC_)?CLERK_/.test(name) && !handedOver.includes(name) && /\s|^(["']).*\1$/s.test(value) ? [name] : [],
  );
}

/**
 * Refuses a production build or start with the local sign-in, whose passwords are public, or with a spoilt setting of Clerk, and a
 * production start without both Clerk keys; a build may come before the keys. Throws an Error that names the variable. Not for
 * development.
 */
export function assertClerkKeys(env: Record<string, string | undefined>, phase: "build" | "start"): void {
  if (isLocalPublishableKey(env[publishableKeyName] ?? "") && env.ALLOW_LOCAL_CLERK !== "e2e-only")
    throw new Error(
      `${publishableKeyName} belongs to the local sign-in, whose passwords are public: a production ${phase} needs a real one. ` +
        "ALLOW_LOCAL_CLERK=e2e-only lets end-to-end tests pass.",
    );
  const [spoilt] = findSpoiltClerkSettings(env);
  if (spoilt !== undefined) throw new Error(`${spoilt} has white space in it, or stands in quotes. Take them out.`);
  if (phase === "build") return;
  for (const name of [publishableKeyName, secretKeyName]) {
    if (!env[name]) throw new Error(`${name} is not set: a production start needs both Clerk keys.`);
  }
}
