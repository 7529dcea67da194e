/** What other folders may use of reports of keys that were found. */
export { createLeaks, defaultLeakSettings, type LeakContext, type LeakSettings, openLeakServer } from "./context";
export type { LeakSource } from "./decide";
export { endExposedKeys } from "./end-exposed-keys";
export { checkGithubSignature } from "./github-signature";
export { mostCredentials, parseForm, parseGithubReport, parseReport } from "./parse-report";
export { secondsUntilReport } from "./limit-reports";
