/** As `server/platform` takes it. */
interface RedisAddress {
  host: string;
  port: number;
  isEncrypted: boolean;
  username?: string;
  password?: string;
  database: number;
}

/**
 * Reads `redis://[user:password@]host[:port][/database]`, or `rediss://…` for TLS. A sign of the password that has a meaning in an address is
 * written as `%` and its number.
 * @returns null for anything else. Query and fragment are refused, since every client reads another meaning into them.
 */
export function readRedisAddress(text: string): RedisAddress | null {
  if (!/^rediss?:\/\/[^\s]+$/.test(text) || !URL.canParse(text)) return null;
  const { protocol, hostname, port, pathname, username, password, search, hash } = new URL(text);
  const database = /^\/?(\d{0,5})$/.exec(pathname)?.[1];
  const credentials = [username, password].map(decode);
  const [user, word] = credentials;
  if (!/^[^,]+$/.test(hostname) || database === undefined || search + hash !== "" || credentials.includes(null))
    return null;
  if (user && !word) return null;
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port || 6379),
    isEncrypted: protocol === "rediss:",
    database: Number(database || 0),
    ...(user && { username: user }),
    ...(word && { password: word }),
  };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
