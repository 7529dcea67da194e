/** Milliseconds since the epoch, with the resolution of `performance.now()`: one clock for everything that is recorded. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}

interface Call {
  startedAt: number;
  endedAt: number;
}

interface Verification extends Call {
  /** "unavailable": no verdict (503). */
  outcome: "accepted" | "refused" | "unavailable";
}

interface Revocation extends Call {
  /** Of the key, by revoke or by itself; or of the one secret that a retried create replaced. */
  of: "key" | "secret";
  /** What was promised; null when the call failed, so that nothing was. */
  promise: { effectiveAt: number } | { guaranteedBy: number } | null;
}

/** Everything that happened to one secret. */
export interface SecretHistory {
  verifications: Verification[];
  revocations: Revocation[];
}

export interface Violation {
  rule: "accepted after effective" | "accepted after guaranteedBy" | "valid key refused" | "effect changed";
  secret: number;
  detail: string;
}

/**
 * Judges a finished history. P1: nothing that started after an `effective` was answered, nor after the time it names, was accepted.
 * P2: nothing that started after a `guaranteedBy` was accepted. P3: nothing was refused that ended before any revocation had started.
 * And all answers that named an effective time for one key named the same.
 */
export function findViolations(history: readonly SecretHistory[]): Violation[] {
  return history.flatMap((entry, secret) => {
    const { verifications, revocations } = entry;
    const found = (rule: Violation["rule"], detail: string): Violation => ({ rule, secret, detail });
    const effective = revocations.flatMap(({ promise, endedAt }) =>
      promise && "effectiveAt" in promise ? [{ at: promise.effectiveAt, answeredAt: endedAt }] : [],
    );
    const ofKey = revocations
      .filter(({ of }) => of === "key")
      .flatMap(({ promise }) => (promise && "effectiveAt" in promise ? [promise.effectiveAt] : []));
    const deadEffective = Math.min(
      Infinity,
      ...effective.map(({ at, answeredAt }) => Math.min(Math.ceil(at), answeredAt)),
    );
    const deadGuaranteed = Math.min(
      Infinity,
      ...revocations.flatMap(({ promise }) => (promise && "guaranteedBy" in promise ? [promise.guaranteedBy + 1] : [])),
    );
    const firstRevocation = Math.min(Infinity, ...revocations.map(({ startedAt }) => startedAt));
    const late = (deadline: number) =>
      verifications.filter((call) => call.outcome === "accepted" && call.startedAt > deadline);
    const describe = (call: Call, deadline: number) =>
      `started ${(call.startedAt - deadline).toFixed(1)} ms after it, took ${(call.endedAt - call.startedAt).toFixed(1)} ms`;
    return [
      ...late(deadEffective).map((call) => found("accepted after effective", describe(call, deadEffective))),
      ...late(deadGuaranteed).map((call) => found("accepted after guaranteedBy", describe(call, deadGuaranteed))),
      ...verifications
        .filter((call) => call.outcome === "refused" && call.endedAt < firstRevocation)
        .map((call) =>
          found("valid key refused", `ended ${(firstRevocation - call.endedAt).toFixed(1)} ms before a revocation`),
        ),
      ...(new Set(ofKey).size > 1 ? [found("effect changed", "two effective times")] : []),
    ];
  });
}

export interface RaceCounts {
  verifications: number;
  accepted: number;
  refused: number;
  unavailable: number;
  revocations: number;
  effective: number;
  pending: number;
  failedRevocations: number;
  /** Verifications that overlapped a revocation of their own secret: the ones that can go wrong. */
  raced: number;
}

export function countHistory(history: readonly SecretHistory[]): RaceCounts {
  const verifications = history.flatMap((entry) => entry.verifications);
  const revocations = history.flatMap((entry) => entry.revocations);
  const outcomes = (outcome: Verification["outcome"]) =>
    verifications.filter((call) => call.outcome === outcome).length;
  const promised = (name: string) => revocations.filter(({ promise }) => promise && name in promise).length;
  const overlaps = (a: Call, b: Call) => a.startedAt < b.endedAt && b.startedAt < a.endedAt;
  const raced = history.map(
    (entry) =>
      entry.verifications.filter((call) => entry.revocations.some((revocation) => overlaps(call, revocation))).length,
  );
  return {
    verifications: verifications.length,
    accepted: outcomes("accepted"),
    refused: outcomes("refused"),
    unavailable: outcomes("unavailable"),
    revocations: revocations.length,
    effective: promised("effectiveAt"),
    pending: promised("guaranteedBy"),
    failedRevocations: revocations.filter(({ promise }) => promise === null).length,
    raced: raced.reduce((sum, count) => sum + count, 0),
  };
}
