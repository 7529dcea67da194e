import type { ReactNode } from "react";

import { cn } from "./cn";

const variants = {
  success: "bg-success/10 text-success",
  warning: "bg-warning/12 text-warning",
  destructive: "bg-destructive/10 text-destructive",
  neutral: "bg-secondary text-muted-foreground",
};

export function Badge({ variant = "neutral", children }: { variant?: keyof typeof variants; children: ReactNode }) {
  return (
    <span
      className={cn(
        "inline-flex items-center gap-1.5 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap before:size-1.5 before:rounded-full before:bg-current",
        variants[variant],
      )}
    >
      {children}
    </span>
  );
}
