import { ArrowRight } from "lucide-react";
import Link from "next/link";

import { buttonClasses } from "./settings/api-keys/ui/button";
import { homeStrings as strings } from "../strings";

export default function HomePage() {
  return (
    <main id="content" tabIndex={-1} className="mx-auto w-full max-w-6xl flex-1 px-4 outline-none sm:px-6">
      <div className="mx-auto max-w-3xl py-16 sm:py-24">
        <h1 className="text-3xl leading-tight font-semibold tracking-tight sm:text-4xl">{strings.title}</h1>
        <p className="mt-4 max-w-xl text-base text-pretty text-muted-foreground">{strings.intro}</p>
        <Link href="/settings/api-keys" className={buttonClasses({}, "mt-7")}>
          <span>{strings.manage}</span>
          <ArrowRight aria-hidden />
        </Link>
        <Example />
        <dl className="mt-10 grid gap-x-8 gap-y-6 sm:grid-cols-3">
          {strings.points.map(({ title, text }) => (
            <div key={title} className="border-t pt-3">
              <dt className="font-medium">{title}</dt>
              <dd className="mt-1 text-[0.8125rem] leading-5 text-pretty text-muted-foreground">{text}</dd>
            </div>
          ))}
        </dl>
        <Link
          href="/leaked"
          prefetch={false}
          className="mt-10 inline-block rounded-sm text-[0.8125rem] text-muted-foreground underline underline-offset-4 hover:text-foreground"
        >
          {strings.found}
        </Link>
      </div>
    </main>
  );
}

function Example() {
  const { terminal } = strings;
  return (
    <figure className="mt-12 overflow-hidden rounded-xl border bg-card font-mono text-xs leading-5 shadow-xs">
      <figcaption className="sr-only">{terminal.label}</figcaption>
      <Exchange status={terminal.accepted} statusClass="text-success" body={terminal.acceptedBody} />
      <p className="flex items-center gap-3 border-y bg-muted px-4 py-1.5 font-sans text-muted-foreground tabular-nums">
        <span aria-hidden className="size-1.5 rounded-full bg-brand" />
        <span>{terminal.revoked}</span>
      </p>
      <Exchange status={terminal.refused} statusClass="text-destructive" body={terminal.refusedBody} />
    </figure>
  );
}

function Exchange({ status, statusClass, body }: { status: string; statusClass: string; body: string }) {
  return (
    <div className="px-4 py-3 break-words">
      <p>
        <span aria-hidden className="mr-2 text-muted-foreground select-none">
          $
        </span>
        <span>{strings.terminal.request}</span>
      </p>
      <p>
        <span className={statusClass}>{status}</span> <span className="text-muted-foreground">{body}</span>
      </p>
    </div>
  );
}
