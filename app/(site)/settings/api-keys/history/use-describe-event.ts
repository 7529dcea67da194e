"use client";

import type { KeyEvent } from "latchkey";

import { useClerkAuth } from "../frame/use-clerk-auth";
import { describeEvent } from "./describe-event";

/** Describes events for whoever is signed in. */
export function useDescribeEvent(): (event: KeyEvent) => string {
  const readerId = useClerkAuth()?.userId ?? null;
  return (event) => describeEvent(event, readerId);
}
