import type { LatchkeyServer, VerifyContext } from "../keys";
import { type CallWindow, createCallWindow } from "../platform/call-window";
import { type ConcurrencyLimit, createConcurrencyLimit } from "../platform/concurrency-limit";
import { createGithubKeys, type GithubKeys } from "./github-keys";

export interface LeakSettings {
  /** `revoke`: a key that is found ends. `report`: it is only recorded. */
  action: "revoke" | "report";
  /** Whether GitHub may report keys, by its secret scanning partner programme. */
  githubSecretScanning: boolean;
  /** Where GitHub publishes the keys with which it signs. */
  githubKeysUrl: string;
}

export const defaultLeakSettings: LeakSettings = {
  action: "revoke",
  githubSecretScanning: false,
  githubKeysUrl: "https://api.github.com/meta/public_keys/secret_scanning",
};

/** What one process keeps for reports of keys that were found. */
export interface Leaks {
  settings: LeakSettings;
  githubKeys: GithubKeys;
  /** Counts reports by address. */
  ofAddress: CallWindow;
  /** Counts all reports, where addresses are not used. */
  ofAll: CallWindow;
  /** How many batches use the database at once. */
  batches: ConcurrencyLimit;
}

export interface LeakContext extends VerifyContext {
  leaks: Leaks;
}

/** Gives what a host has passed on. Only `createLatchkey` makes one, so it is the whole context. */
export const openLeakServer = (server: LatchkeyServer) => server as LeakContext;

const reportsOfAddress = 30;
const reportsOfAll = 300;
/**
 * A batch takes one connection of the pool's ten at a time, so verifications and revocations find others. Those beyond wait, and a sender
 * whose batch was refused sends it again.
 */
const batchesOfProcess = { atOnce: 3, waiting: 100, patienceMilliseconds: 10_000 };

export function createLeaks(settings: LeakSettings, { now, logger }: Pick<VerifyContext, "now" | "logger">): Leaks {
  return {
    settings,
    githubKeys: createGithubKeys({ url: settings.githubKeysUrl, now, logger }),
    ofAddress: createCallWindow({ allowed: reportsOfAddress, now }),
    ofAll: createCallWindow({ allowed: reportsOfAll, now }),
    batches: createConcurrencyLimit(batchesOfProcess),
  };
}
