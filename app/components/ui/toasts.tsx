"use client";

import { useTheme } from "next-themes";
import { Toaster as Sonner } from "sonner";

export default function Toasts() {
  const { resolvedTheme } = useTheme();
  return (
    <Sonner
      theme={resolvedTheme === "dark" ? "dark" : "light"}
      position="bottom-right"
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            "flex items-center gap-2.5 rounded-lg border bg-popover px-3.5 py-2.5 text-[0.8125rem] text-popover-foreground shadow-lg",
          icon: "text-success",
        },
      }}
    />
  );
}
