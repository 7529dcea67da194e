import type { Metadata } from "next";

import { ReportForm } from "./report-form";
import { paths, strings } from "./strings";

export const metadata: Metadata = { title: strings.title };

/** For anybody who has found a key. It reads nothing of the request, so it can be made at build time. */
export default function LeakedPage() {
  return (
    <div className="latchkey flex-1 bg-background text-foreground">
      <main id="content" tabIndex={-1} className="mx-auto w-full max-w-6xl px-4 outline-none sm:px-6">
        <div className="mx-auto max-w-2xl py-10 sm:py-16">
          <h1 className="text-2xl font-semibold tracking-tight">{strings.title}</h1>
          <p className="mt-2 text-pretty text-muted-foreground">{strings.intro}</p>
          <ReportForm />
          <h2 className="mt-10 text-[0.9375rem] font-semibold">{strings.steps.title}</h2>
          <ul className="mt-2 flex list-disc flex-col gap-1.5 pl-5 text-[0.8125rem] leading-5 text-pretty text-muted-foreground">
            {strings.steps.list.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ul>
          <p className="mt-8 text-[0.8125rem] text-muted-foreground">{strings.forPrograms}</p>
          <pre
            translate="no"
            tabIndex={0}
            className="mt-2 overflow-x-auto rounded-md border bg-muted px-3.5 py-3 font-mono text-xs leading-5"
          >
            {`POST ${paths.reports}\nContent-Type: application/json\n\n{ "credentials": ["…"], "url": "https://…" }`}
          </pre>
        </div>
      </main>
    </div>
  );
}
