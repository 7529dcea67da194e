"use client";

import { useSyncExternalStore } from "react";

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

type TimeForm = "relative" | "date" | "time" | "dateTime";

/** A moment in the reader's own words and zone. The server knows neither: until mounted it is the date in UTC. */
export function Time({ value, form }: { value: Date; form: TimeForm }) {
  const now = useMinute();
  return (
    <time
      dateTime={value.toISOString()}
      title={now === null ? undefined : fullForm.format(value)}
      className="tabular-nums"
    >
      {now === null ? utcDateForm.format(value) : formatMoment(value, form, now)}
    </time>
  );
}

/** "14:32:07", in the reader's zone. For the browser only. */
export function formatTime(value: Date): string {
  return timeForm.format(value);
}

/** "14:00", in the reader's zone. For the browser only. */
export function formatHour(value: Date): string {
  return hourForm.format(value);
}

/** "Nov 3", the day in UTC. */
export function formatShortDate(value: Date): string {
  return shortDateForm.format(value);
}

function formatMoment(value: Date, form: TimeForm, now: number): string {
  if (form === "date") return dateForm.format(value);
  if (form === "time") return timeForm.format(value);
  if (form === "dateTime") return `${dateForm.format(value)}, ${timeForm.format(value)}`;
  const distance = value.getTime() - now;
  for (const [unit, milliseconds] of units)
    if (Math.abs(distance) >= milliseconds) return relative.format(Math.trunc(distance / milliseconds), unit);
  return "just now";
}

const everyMinute = (onChange: () => void) => {
  const timer = setInterval(onChange, 60_000);
  return () => clearInterval(timer);
};

/** The time by this machine's clock, renewed each minute; null while rendering on the server. For wording only. */
function useMinute(): number | null {
  return useSyncExternalStore<number | null>(
    everyMinute,
    () => Math.floor(Date.now() / 60_000) * 60_000,
    () => null,
  );
}
