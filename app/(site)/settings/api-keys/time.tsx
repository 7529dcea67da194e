"use client";

import { useSyncExternalStore } from "react";

import { serverNow } from "../../../../trpc/latchkey/server-time";

const day = 86_400_000;
const units = [
  ["year", 365 * day],
  ["month", 30 * day],
  ["day", day],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

const locale = "en-US";
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const dateForm = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const utcDateForm = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
const shortDateForm = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", timeZone: "UTC" });
const hourForm = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const timeForm = new Intl.DateTimeFormat(locale, { timeStyle: "medium", hourCycle: "h23" });
const fullForm = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "long", hourCycle: "h23" });

type TimeForm = "relative" | "remaining" | "date" | "time" | "dateTime";

/**
 * Shows a moment in the reader's language and time zone. The server knows neither, so it renders the date in UTC until the page is mounted. How
 * long ago the moment was is counted by the server's clock, since this machine's clock may be wrong.
 */
export function Time({ value, form }: { value: Date; form: TimeForm }) {
  const isMounted = useIsMounted();
  const now = useMinute();
  return (
    <time
      dateTime={value.toISOString()}
      title={isMounted ? fullForm.format(value) : undefined}
      className="whitespace-nowrap tabular-nums"
    >
      {isMounted ? formatMoment(value, form, now) : utcDateForm.format(value)}
    </time>
  );
}

/** "14:32:07", in the reader's zone. For the browser only. */
export function formatTime(value: Date): string {
  return timeForm.format(value);
}

/** "Nov 3, 2026, 14:32:07", in the reader's zone. For the browser only. */
export function formatDateTime(value: Date): string {
  return `${dateForm.format(value)}, ${timeForm.format(value)}`;
}

/** "14:00", in the reader's zone. For the browser only. */
export function formatHour(value: Date): string {
  return hourForm.format(value);
}

/** "Nov 3", the day in UTC. */
export function formatShortDate(value: Date): string {
  return shortDateForm.format(value);
}

function formatMoment(value: Date, form: TimeForm, now: number | null): string {
  if (form === "time") return timeForm.format(value);
  if (form === "dateTime") return formatDateTime(value);
  if (form === "date" || now === null) return dateForm.format(value);
  const distance = value.getTime() - now;
  for (const [unit, milliseconds] of units)
    if (Math.abs(distance) >= milliseconds) return relative.format(Math.trunc(distance / milliseconds), unit);
  return form === "remaining" ? "in less than a minute" : "just now";
}

const never = () => () => undefined;

function useIsMounted(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}

const everyTenSeconds = (onChange: () => void) => {
  const timer = setInterval(onChange, 10_000);
  return () => clearInterval(timer);
};

/** The current minute by the server's clock. Null while that is not known. */
function useMinute(): number | null {
  return useSyncExternalStore<number | null>(
    everyTenSeconds,
    () => {
      const now = serverNow();
      return now === null ? null : Math.floor(now / 60_000) * 60_000;
    },
    () => null,
  );
}
