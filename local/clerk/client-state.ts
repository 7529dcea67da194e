import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

export type ClientSession = {
  id: string;
  userId: string;
  createdAt: number;
  lastActiveAt: number;
  /** Absent: the personal account. It counts only while the user is a member. */
  activeOrganizationId?: string | undefined;
  act?: { sub: string };
  features?: readonly string[];
  azp?: AzpPolicy;
};

/**
 * When tokens of a session name the app's origin in `azp`. Absent: always. "from Origin": where the request that asks for the token has
 * an `Origin` header, as Clerk does it; a page that is opened has none. "never": as where something removes that header.
 */
export type AzpPolicy = "from Origin" | "never";

/** All that the stand-in knows of one browser. It lives in that browser's cookie, so sign-ins survive restarts. */
export type ClientState = {
  id: string;
  createdAt: number;
  /** Changes only when sessions do: clerk-js turns it into `__client_uat`, and a token issued before that is refused. */
  updatedAt: number;
  sessions: ClientSession[];
  signIn: {
    id: string;
    identifier: string;
    status: "needs_first_factor" | "complete";
    createdSessionId: string | null;
  } | null;
};

export const newId = (prefix: string): string => `${prefix}_${randomBytes(14).toString("hex")}`;

export function newClient(): ClientState {
  const now = Date.now();
  return { id: newId("client"), createdAt: now, updatedAt: now, sessions: [], signIn: null };
}

const purpose = Buffer.from("latchkey local sign-in client v1");

/** AES-256-GCM over the JSON; the nonce and the tag travel in front. */
export function sealClient(sealingKey: Buffer, client: ClientState): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", sealingKey, nonce).setAAD(purpose);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(client), "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
}

/** What was sealed with the same key; `undefined` for anything else, a changed cookie included. */
export function openClient(sealingKey: Buffer, cookie: string): ClientState | undefined {
  const bytes = Buffer.from(cookie, "base64url");
  if (bytes.length < 29) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", sealingKey, bytes.subarray(0, 12))
    .setAAD(purpose)
    .setAuthTag(bytes.subarray(12, 28));
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
    return JSON.parse(text) as ClientState;
  } catch {
    return undefined;
  }
}
