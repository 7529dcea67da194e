import { describe, expect, it } from "vitest";

import { createSlotBreaker } from "@/server/gateway/slot-breaker";

const timeout = () => new DOMException("The operation was aborted due to timeout", "TimeoutError");

describe("the slot breaker", () => {
  function breakerAt(start: number) {
    let now = start;
    return { breaker: createSlotBreaker(() => now), pass: (milliseconds: number) => void (now += milliseconds) };
  }

  it("opens for one second after five timeouts in a row", () => {
    const { breaker, pass } = breakerAt(10_000);
    for (let call = 0; call < 4; call++) breaker.note(timeout());
    expect(breaker.isOpen()).toBe(false);
    breaker.note(timeout());
    expect(breaker.isOpen()).toBe(true);
    pass(999);
    expect(breaker.isOpen()).toBe(true);
    pass(1);
    expect(breaker.isOpen()).toBe(false);
  });

  it("counts only timeouts, and only in a row", () => {
    const { breaker } = breakerAt(10_000);
    for (let call = 0; call < 20; call++) breaker.note(call % 5 === 4 ? null : timeout());
    for (let call = 0; call < 20; call++) breaker.note(new TypeError("fetch failed"));
    expect(breaker.isOpen()).toBe(false);
  });

  it("counts one error that ends many reads once", () => {
    const { breaker } = breakerAt(10_000);
    for (let request = 0; request < 4; request++) {
      const fault = timeout();
      for (let read = 0; read < 50; read++) breaker.note(fault);
    }
    expect(breaker.isOpen()).toBe(false);
    breaker.note(timeout());
    expect(breaker.isOpen()).toBe(true);
  });
});
