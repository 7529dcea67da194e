import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";

import { cn } from "./cn";
import { fieldClasses } from "./input";

/** A choice of one among many: the browser's own control, so keys, screen readers and phones work as everywhere. */
export function Select({ className, ...props }: ComponentProps<"select">) {
  return (
    <span className={cn("relative block", className)}>
      <select className={cn(fieldClasses, "h-9 w-full appearance-none truncate pr-9")} {...props} />
      <ChevronDown aria-hidden className="pointer-events-none absolute top-2.5 right-3 size-4 text-muted-foreground" />
    </span>
  );
}
