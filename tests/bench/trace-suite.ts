import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

import { runBlock } from "./block";
import { compare, type Side } from "./compare";
import { insertKeys, openStage, rotating, verify, warmSlots } from "./stage";
import type { Suite } from "./suite";

const keyCount = 64;

/** A hit where nobody traces, beside one of which OpenTelemetry's SDK makes a span. The spans are collected and sent nowhere. */
export const measureTraces: Suite = async ({ services, effort }) => {
  const stage = openStage(services);
  try {
    const keys = await insertKeys(stage, keyCount);
    await warmSlots(stage, keys);
    const hit = rotating(keys, ({ secret }) => verify(stage.context, secret));
    const run = () => runBlock(hit, { inFlight: 1, milliseconds: effort.blockMilliseconds });
    const untraced: Side = { name: "verifyApiKey, a hit, no tracer provider", run };
    const traced: Side = { name: "verifyApiKey, a hit, traced", run: () => inProvider(run) };
    return { comparisons: [await compare("A hit with a span, 1 in flight", untraced, traced, effort)], notes: [] };
  } finally {
    await stage.close();
  }
};

async function inProvider<T>(run: () => Promise<T>): Promise<T> {
  const exporter = { export: (_spans: unknown, done: (result: { code: number }) => void) => done({ code: 0 }) };
  const shutdown = () => Promise.resolve();
  const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor({ ...exporter, shutdown })] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  try {
    return await run();
  } finally {
    trace.disable();
    context.disable();
    await provider.shutdown();
  }
}
