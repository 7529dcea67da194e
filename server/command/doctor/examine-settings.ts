import { parseEnvironment, SettingsError, trimSettings } from "../../settings/env";
import type { CommandIo } from "../command-io";
import type { Check } from "./check";

type Environment = CommandIo["environment"];

/** Are no real ones. With them the other settings can be checked where Clerk's are missing or wrong. */
const anyClerkKeys = {
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
  CLERK_SECRET_KEY: "sk_live_of_nobody",
};

/** Checks all settings as a start of the app does. */
export function examineSettings({ environment, hasClerk = true }: Pick<CommandIo, "environment" | "hasClerk">): Check {
  const name = "settings";
  const problems = hasNeedlessClerk(environment, hasClerk)
    ? problemsOf({ ...environment, ...anyClerkKeys, ...(!hasClerk && { APP_ORIGIN: "https://app.example.com" }) })
    : allProblemsOf(environment);
  if (problems.length === 0) return { name, ok: true, sentence: "All settings are valid." };
  return {
    name,
    ok: false,
    sentence: `${problems.join("; ")}. The app does not start with this. docs/settings.md explains each setting.`,
  };
}

/** In development the local sign-in stands in for Clerk, and an app without Clerk signs nobody in. One key alone is a slip. */
function hasNeedlessClerk(environment: Environment, hasClerk: boolean): boolean {
  const set = trimSettings(environment);
  const isUnset = Object.keys(anyClerkKeys).every((name) => set[name] === undefined);
  return isUnset && (!hasClerk || set.NODE_ENV !== "production");
}

/** A production start looks at Clerk's keys first, and goes no further where these are wrong. */
function allProblemsOf(environment: Environment): string[] {
  const problems = problemsOf(environment);
  if (problems.length === 0) return [];
  const unset = Object.keys(anyClerkKeys).filter((name) => !environment[name]?.trim());
  return [
    ...new Set([
      ...unset.map((name) => `${name} is not set`),
      ...problems.filter((problem) => !unset.some((name) => problem.startsWith(`${name} is not set`))),
      ...problemsOf({ ...environment, ...anyClerkKeys }),
    ]),
  ];
}

function problemsOf(environment: Environment): readonly string[] {
  try {
    parseEnvironment(environment);
    return [];
  } catch (fault) {
    if (fault instanceof SettingsError) return fault.problems;
    return [fault instanceof Error ? fault.message.replace(/\.$/, "") : "the settings cannot be read"];
  }
}
