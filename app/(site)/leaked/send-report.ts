import { isOutcome, type Outcome, paths } from "./strings";

/** Sends what the form holds, as the browser itself would, and tells how it ended. */
export async function sendReport(form: FormData): Promise<Outcome> {
  const body = new URLSearchParams();
  for (const [name, value] of form) if (typeof value === "string") body.append(name, value);
  try {
    // The answer is a redirect to this page, whose address has the outcome.
    const { url } = await fetch(paths.reports, { method: "POST", body, signal: AbortSignal.timeout(30_000) });
    const outcome = new URL(url).searchParams.get("report");
    return isOutcome(outcome) ? outcome : "unavailable";
  } catch {
    return "unavailable";
  }
}
