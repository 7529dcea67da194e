import type { ComponentProps } from "react";

import { cn } from "./cn";

/** A placeholder; hidden from screen readers, which are told by the region around it. */
export function Skeleton({ className, ...props }: ComponentProps<"span">) {
  return <span aria-hidden className={cn("block animate-pulse rounded-sm bg-accent", className)} {...props} />;
}
