import type { ReactNode } from "react";

import { ArrivedProvider } from "./arrived";
import { InputMethodGuard } from "./input-method-guard";
import { Toaster } from "./ui/toaster";

/** The frame of the page. `styles.css` gives what stands below the class `latchkey` its base styles, and nothing else. */
export default function ApiKeysLayout({ children }: { children: ReactNode }) {
  return (
    <div className="latchkey flex-1 bg-background text-foreground">
      <InputMethodGuard />
      <main id="content" tabIndex={-1} className="mx-auto w-full max-w-6xl px-4 outline-none sm:px-6">
        <ArrivedProvider>{children}</ArrivedProvider>
      </main>
      <Toaster />
    </div>
  );
}
