import type { SecretFormat } from "../shared/secret-format";
import type { WaitUntil } from "./uses";

export interface EdgeOptions {
  /** The Redis leader, behind Upstash's REST API: the origin's own. `prefix`: by default `latchkey:`, as there. */
  redis: { url: string; token: string; prefix?: string };
  /** Where the app is served that makes the keys, such as `https://app.example.com`. */
  origin: string;
  /** What the paths of its endpoints begin with, by default `/api`. */
  basePath?: string;
  /** The origin's INTROSPECTION_SECRET. */
  introspectionSecret: string;
  /** By default `lk` and `live`, as at the origin. Secrets of another prefix or environment are refused without any I/O. */
  secretFormat?: Partial<SecretFormat>;
  /** Lets work end after the answer, where the platform has one function for all requests. See also `EdgeRouteContext`. */
  waitUntil?: WaitUntil;
}

export interface Settings {
  redis: { url: string; token: string; prefix: string };
  /** Of introspection, without a slash at its end. */
  introspectionUrl: string;
  introspectionSecret: string;
  secretFormat: SecretFormat;
}

const shortestSecret = 32;

/** @throws Error that names every option that is missing or could never work. It repeats no value. */
export function checkOptions(options: EdgeOptions): Settings {
  const { redis, origin, basePath = "/api", introspectionSecret, secretFormat } = options;
  const isText = (value: unknown) => typeof value === "string" && /^[\x21-\x7e]+$/.test(value);
  const problems = [
    ...(isSafeUrl(redis.url) ? [] : ["redis.url must be an https URL without credentials"]),
    ...(isText(redis.token) ? [] : ["redis.token is not set"]),
    ...(isSafeUrl(origin) && new URL(origin).pathname === "/"
      ? []
      : ["origin must be an https URL without credentials and path"]),
    ...(isText(introspectionSecret) && introspectionSecret.length >= shortestSecret
      ? []
      : [`introspectionSecret must have at least ${shortestSecret} characters`]),
  ];
  if (problems.length > 0) throw new Error(`createEdgeVerifier cannot use these options:\n- ${problems.join("\n- ")}`);
  const path = `/${basePath}`.replace(/\/+$/, "").replace(/^\/+/, "/");
  return {
    redis: { ...redis, prefix: redis.prefix ?? "latchkey:" },
    introspectionUrl: `${new URL(origin).origin}${path}/v1/introspect`,
    introspectionSecret,
    secretFormat: { prefix: "lk", environment: "live", ...secretFormat },
  };
}

/** Secrets go there, so plain HTTP is for this machine alone. */
function isSafeUrl(text: unknown): boolean {
  if (typeof text !== "string" || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search } = new URL(text);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  if (username || password || search) return false;
  return protocol === "https:" || (protocol === "http:" && isLocal);
}
