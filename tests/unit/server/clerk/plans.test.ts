import { describe, expect, it } from "vitest";

import { accessBySubscription } from "@/server/clerk/plans";

const end = Date.UTC(2026, 5, 1);
const item = (status: string, fields: { periodEnd?: number | null; canceledAt?: number; slugs?: string[] } = {}) => ({
  status,
  periodEnd: fields.periodEnd ?? null,
  canceledAt: fields.canceledAt ?? null,
  plan: { features: (fields.slugs ?? ["other", "api_access"]).map((slug) => ({ slug })) },
});
const accessOf = (...subscriptionItems: ReturnType<typeof item>[]) =>
  accessBySubscription({ subscriptionItems }, "api_access");

describe("accessBySubscription", () => {
  it("an active item grants the features of its plan without an end", () => {
    expect(accessOf(item("active", { periodEnd: end }))).toEqual({ allowed: true, until: null });
  });

  it("a canceled item grants them until the period that was paid for ends", () => {
    const until = new Date(end);
    expect(accessOf(item("canceled", { periodEnd: end }))).toEqual({ allowed: true, until });
    expect(accessOf(item("active", { periodEnd: end, canceledAt: 1 }))).toEqual({ allowed: true, until });
  });

  it("a canceled item without an end grants nothing", () => {
    expect(accessOf(item("canceled"))).toEqual({ allowed: false, until: null });
  });

  it.each(["ended", "expired", "past_due", "upcoming", "incomplete", "abandoned", "a state of tomorrow"])(
    "an item that is %s grants nothing",
    (status) => {
      expect(accessOf(item(status, { periodEnd: end }))).toEqual({ allowed: false, until: null });
    },
  );

  it("of several items the one that grants longest counts", () => {
    const [short, long] = [item("canceled", { periodEnd: end - 1 }), item("canceled", { periodEnd: end })];
    expect(accessOf(short, long, item("ended"))).toEqual({ allowed: true, until: new Date(end) });
    expect(accessOf(long, item("active"))).toEqual({ allowed: true, until: null });
  });

  it("a plan without the feature, no plan, and no item grant nothing", () => {
    const none = { allowed: false, until: null };
    expect(accessOf(item("active", { slugs: ["api_access_more"] }))).toEqual(none);
    expect(accessOf()).toEqual(none);
    const withoutPlan = { ...item("active"), plan: null };
    expect(accessBySubscription({ subscriptionItems: [withoutPlan] }, "api_access")).toEqual(none);
  });
});
