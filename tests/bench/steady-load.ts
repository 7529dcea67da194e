import { Pool } from "undici";

interface Answer {
  status: number;
  text: string;
}

/** Sends a request, a POST where there is a body. A connection that fails is an answer with the status 0. */
export type Send = (path: string, headers: Record<string, string>, body?: unknown) => Promise<Answer>;

/** Sends to one server over connections that are kept. */
export function openRequests(origin: string, connections: number): { send: Send; close: () => Promise<void> } {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  return {
    async send(path, headers, body) {
      const method = body === undefined ? "GET" : "POST";
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      const sent = { ...(body !== undefined && { "content-type": "application/json" }), ...headers };
      try {
        const response = await pool.request({ path, method, headers: sent, ...content });
        return { status: response.statusCode, text: await response.body.text() };
      } catch (fault) {
        return { status: 0, text: String(fault) };
      }
    },
    close: () => pool.close(),
  };
}

const tickMilliseconds = 20;
/** Beyond that a request is left out and counted: a server that hangs must not fill this process. */
const mostUnderWay = 500;

export interface SteadyLoad {
  /** Waits until every answer is there, and sends nothing while `work` runs. */
  duringPause<T>(work: () => Promise<T>): Promise<T>;
  /** @returns how many calls were left out. */
  stop(): Promise<number>;
}

/** Calls `send` at a steady rate, however long the answers take. */
export function startSteadyLoad(send: () => Promise<unknown>, perSecond: number): SteadyLoad {
  const startedAt = performance.now();
  let done = 0;
  let leftOut = 0;
  let isPausing = false;
  const underWay = new Set<Promise<unknown>>();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1_000);
    for (; done < due; done++) {
      if (isPausing) continue;
      if (underWay.size >= mostUnderWay) {
        leftOut++;
        continue;
      }
      const call: Promise<unknown> = send().finally(() => underWay.delete(call));
      underWay.add(call);
    }
  }, tickMilliseconds);
  return {
    async duringPause(work) {
      isPausing = true;
      await Promise.all(underWay);
      try {
        return await work();
      } finally {
        isPausing = false;
      }
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      return leftOut;
    },
  };
}
