import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** `break` closes the connection before the statement, `break after` once the database has answered it. */
type StatementFate = "pass" | "break" | "break after";

export interface PostgresProxy {
  /** The database's address through the proxy. */
  url: string;
  /** Where new connections are passed on to. */
  target: string;
  /** The statements that were executed, in order: text of simple queries, of extended ones where they were parsed. */
  statements: string[];
  /** How often the client has waited for the database: each simple query and each end (Sync) of extended ones. */
  roundTrips: number;
  /** Called with each statement before it is passed on; a promise delays it and what follows on its connection. */
  decide: (statement: string) => StatementFate | Promise<StatementFate>;
  /** Closes every connection and refuses new ones until `heal`. */
  sever(): void;
  heal(): void;
  stop(): Promise<void>;
}

/** A TCP proxy in front of Postgres that reads the frontend protocol (version 3) far enough to see each execution. */
export async function startPostgresProxy(target: string): Promise<PostgresProxy> {
  const sockets = new Set<Socket>();
  let isSevered = false;
  const proxy: PostgresProxy = {
    url: "",
    target,
    statements: [],
    roundTrips: 0,
    decide: () => "pass",
    sever() {
      isSevered = true;
      for (const socket of sockets) socket.destroy();
    },
    heal: () => void (isSevered = false),
    stop: async () => {},
  };

  const server = createServer((client) => {
    if (isSevered) return client.destroy();
    let losesAnswer = false;
    const { hostname, port } = new URL(proxy.target);
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        // The statement whose answer is lost still arrives, also when whoever has sent it is dead by now.
        if (losesAnswer && socket === client) upstream.end();
        else upstream.destroy();
      });
    }
    upstream.on("data", (data) => (losesAnswer ? client.destroy() : client.write(data)));

    let buffered = Buffer.alloc(0);
    let isStarted = false;
    let queue = Promise.resolve();
    const parsed = new Map<string, string>();
    const bound = new Map<string, string>();

    function* messages(): Generator<{ raw: Buffer; statement: string | null }> {
      for (;;) {
        // The startup message has no type byte.
        const lengthAt = isStarted ? 1 : 0;
        if (buffered.length < lengthAt + 4) return;
        const end = lengthAt + buffered.readInt32BE(lengthAt);
        if (buffered.length < end) return;
        const raw = buffered.subarray(0, end);
        buffered = buffered.subarray(end);
        const statement = isStarted ? executed(raw) : null;
        // An SSLRequest (80877103) is followed by the real startup message.
        if (!isStarted) isStarted = raw.readInt32BE(4) !== 80877103;
        yield { raw, statement };
      }
    }

    function executed(raw: Buffer): string | null {
      const type = String.fromCharCode(raw[0] ?? 0);
      if (type === "Q" || type === "S") proxy.roundTrips++;
      const texts = raw.subarray(5).toString("utf8").split("\0");
      const [first = "", second = ""] = texts;
      if (type === "P") parsed.set(first, second);
      if (type === "B") bound.set(first, parsed.get(second) ?? second);
      if (type === "E") return bound.get(first) ?? "";
      return type === "Q" ? first : null;
    }

    client.on("data", (data) => {
      buffered = Buffer.concat([buffered, data]);
      for (const { raw, statement } of messages()) {
        queue = queue.then(async () => {
          if (statement !== null) {
            proxy.statements.push(statement);
            const fate = await proxy.decide(statement);
            if (fate === "break") return void client.destroy();
            if (fate === "break after") losesAnswer = true;
          }
          upstream.write(raw);
        });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = new URL(target);
  address.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  proxy.url = address.href;
  proxy.stop = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return proxy;
}
