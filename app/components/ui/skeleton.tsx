import type { ComponentProps } from "react";

import { cn } from "./cn";

/** A placeholder. It is hidden from screen readers; the region around it tells them that something loads. */
export function Skeleton({ className, ...props }: ComponentProps<"span">) {
  return <span aria-hidden className={cn("block animate-pulse rounded-sm bg-accent", className)} {...props} />;
}
