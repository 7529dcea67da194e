import pg from "pg";

/**
 * Whether the driver can make a connection of `text`: its own parser decides, so unix sockets and whatever else it takes pass.
 * The scheme is checked before, since the parser makes a host of any text; several hosts, which it takes for one name, never resolve.
 */
export function isConnectionString(text: string): boolean {
  if (!/^(?:postgres(?:ql)?:\/\/|socket:\/|\/)/.test(text)) return false;
  try {
    // Connects to nothing.
    const { host, port } = new pg.Client({ connectionString: text });
    return !host.includes(",") && Number.isInteger(port) && port > 0 && port <= 65_535;
  } catch {
    return false;
  }
}
