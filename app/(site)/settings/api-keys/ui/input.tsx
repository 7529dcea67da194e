import type { ComponentProps } from "react";

import { cn } from "./cn";

// 16 px on phones, since iOS zooms into a focused field with smaller text.
export const fieldClasses =
  "min-w-0 rounded-md border border-input bg-card px-3 text-base text-foreground shadow-xs transition-colors placeholder:text-muted-foreground/80 focus-visible:border-ring focus-visible:outline-offset-0 disabled:opacity-60 aria-invalid:border-destructive sm:text-sm";

type InputProps = Omit<ComponentProps<"input">, "size"> & { size?: "md" | "sm" };

/** @param props `size`: "sm" for a field in a row, which takes the room that its neighbours leave. */
export function Input({ className, size = "md", ...props }: InputProps) {
  return (
    <input className={cn(fieldClasses, size === "md" ? "h-9 w-full" : "h-8 w-full flex-1", className)} {...props} />
  );
}

/** A field that is as high as its text, up to a few lines. */
export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return (
    <textarea
      className={cn(fieldClasses, "field-sizing-content max-h-32 min-h-9 w-full resize-none py-1.5", className)}
      {...props}
    />
  );
}
