import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import { chmod, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** `.invalid` is reserved (RFC 2606): no real instance can have this name, so it marks the stand-in for production guards. */
const frontendHost = "clerk.local.invalid";
export const issuer = `https://${frontendHost}`;
export const publishableKey = `pk_test_${Buffer.from(`${frontendHost}$`).toString("base64")}`;

/** Clerk reads its cookies under the plain name and under the name with this suffix (`getCookieSuffix` of @clerk/shared). */
export const cookieSuffix = createHash("sha1").update(publishableKey).digest("base64url").slice(0, 8);

export type LocalKeys = {
  signingKey: KeyObject;
  /** SPKI in PEM, for CLERK_JWT_KEY. */
  publicKeyPem: string;
  keyId: string;
  secretKey: string;
  /** 32 bytes, seals the browser's client cookie. */
  sealingKey: Buffer;
  webhookSecret: string;
};

type StoredKeys = { privateKeyPem: string; secretKey: string; sealingKey: string; webhookSecret: string };

function generateKeys(): StoredKeys {
  // Clerk's own PEM reader takes the modulus by cutting the header of a 2048-bit key: no other size works.
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    secretKey: `sk_test_${randomBytes(32).toString("hex")}`,
    sealingKey: randomBytes(32).toString("base64"),
    webhookSecret: `whsec_${randomBytes(24).toString("base64")}`,
  };
}

const isFileSystemError = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

async function readStoredKeys(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isFileSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/**
 * The keys of this machine's stand-in, made on first use in `directory` (folder 0700, file 0600) and reused afterwards.
 * Two first runs at once end with the same keys. Throws when the file exists but cannot be read as keys.
 */
export async function loadLocalKeys(directory: string): Promise<LocalKeys> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const file = join(directory, "keys.json");
  let text = await readStoredKeys(file);
  if (text === undefined) {
    const draft = join(directory, `keys.${randomBytes(6).toString("hex")}.tmp`);
    await writeFile(draft, JSON.stringify(generateKeys()), { mode: 0o600, flag: "wx" });
    // link, not rename: the loser of a race must not replace keys that the winner already uses.
    await link(draft, file).catch((error: unknown) => {
      if (!isFileSystemError(error, "EEXIST")) throw error;
    });
    await rm(draft);
    text = await readFile(file, "utf8");
  }
  await chmod(file, 0o600);
  const stored = JSON.parse(text) as StoredKeys;
  const signingKey = createPrivateKey(stored.privateKeyPem);
  const publicKeyPem = createPublicKey(signingKey).export({ type: "spki", format: "pem" }).toString();
  return {
    signingKey,
    publicKeyPem,
    keyId: `ins_${createHash("sha256").update(publicKeyPem).digest("hex").slice(0, 24)}`,
    secretKey: stored.secretKey,
    sealingKey: Buffer.from(stored.sealingKey, "base64"),
    webhookSecret: stored.webhookSecret,
  };
}
