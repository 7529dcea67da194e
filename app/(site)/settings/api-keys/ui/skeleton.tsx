import { cn } from "./cn";

const shapes = { line: "rounded-sm", button: "rounded-md", pill: "rounded-full" };

/** A placeholder. It is hidden from screen readers; the region around it tells them that something loads. */
export function Skeleton({ className, shape = "line" }: { className: string; shape?: keyof typeof shapes }) {
  return <span aria-hidden className={cn("block animate-pulse bg-accent", shapes[shape], className)} />;
}
