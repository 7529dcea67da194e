import type { ComponentProps } from "react";

import { cn } from "./cn";

/** @param props `isQuiet`: for a label that is a sentence. */
export function Label({ className, isQuiet = false, ...props }: ComponentProps<"label"> & { isQuiet?: boolean }) {
  return <label className={cn("text-[0.8125rem]", isQuiet ? "font-normal" : "font-medium", className)} {...props} />;
}
