import { cn } from "./cn";

/** Shared by both kinds of dialog, so that they look the same. A dialog stands at the end of the body, so it brings the root's class. */
export const overlayClasses = "latchkey fixed inset-0 z-40 animate-fade-in bg-overlay";

export const contentClasses = (width: "md" | "xl") =>
  cn(
    "latchkey fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2 animate-rise-in flex-col overflow-y-auto overscroll-contain rounded-xl border bg-popover text-popover-foreground shadow-2xl focus:outline-none",
    width === "md" ? "max-w-md" : "max-w-xl",
  );

export const titleClasses = "text-base font-semibold tracking-tight text-balance break-words";
export const descriptionClasses = "text-[0.8125rem] leading-5 text-pretty text-muted-foreground";
export const headerClasses = "px-5 pt-5";
export const bodyClasses = "flex flex-col gap-5 px-5 pt-4 pb-5";
export const footerClasses = "flex flex-wrap justify-end gap-2 border-t bg-muted/60 px-5 py-3";
