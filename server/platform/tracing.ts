import { describeFault } from "./logger";

/** What is used of a span and a tracer of OpenTelemetry. */
interface Span {
  setAttribute(name: string, value: string | number): unknown;
  setStatus(status: { code: number }): unknown;
  end(): void;
}
interface Tracer {
  startActiveSpan<T>(name: string, run: (span: Span) => T): T;
}

/** Adds an attribute to the span. Never give it a secret, a hash, a display, a name or an owner: spans go to other systems. */
export type Note = (attribute: string, value: string | number) => void;

/**
 * Every copy of `@opentelemetry/api` 1.x finds here what the host has registered, whichever copy it has used. So no package is imported: a
 * copy of our own that is newer than the host's would refuse to use the host's, and a bundler would complain where there is none.
 */
const registry = Symbol.for("opentelemetry.js.api.1");

/** `SpanStatusCode.ERROR` of OpenTelemetry. */
const errorStatus = 2;
const noteNothing: Note = () => {};

/**
 * Runs `work` in a span, where the host has registered a tracer provider of OpenTelemetry. Else it only runs it.
 * @param work must be async: it throws by rejecting. A fault is noted by its code or name, never by its message.
 */
export function inSpan<T>(name: string, work: (note: Note) => Promise<T>): Promise<T> {
  const tracer = findTracer();
  if (!tracer) return work(noteNothing);
  let running: Promise<T> | undefined;
  const run = (span: Span) => (running ??= workIn(span, work));
  return attempt(() => tracer.startActiveSpan(name, run)) ?? running ?? work(noteNothing);
}

function findTracer(): Tracer | undefined {
  const api = (globalThis as { [registry]?: { trace?: { getTracer(name: string): Tracer } } })[registry];
  return api?.trace && attempt(() => api.trace?.getTracer("latchkey"));
}

async function workIn<T>(span: Span, work: (note: Note) => Promise<T>): Promise<T> {
  const note: Note = (attribute, value) => void attempt(() => span.setAttribute(attribute, value));
  try {
    return await work(note);
  } catch (fault) {
    const { name, code = name } = describeFault(fault);
    note("error.type", code);
    attempt(() => span.setStatus({ code: errorStatus }));
    throw fault;
  } finally {
    attempt(() => span.end());
  }
}

/** A tracer that fails must not change an answer. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
