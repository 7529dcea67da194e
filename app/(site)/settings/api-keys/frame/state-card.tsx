import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

interface StateCardProps {
  Icon: LucideIcon;
  title: string;
  text: string;
  role?: "alert";
  children?: ReactNode;
}

/** Stands in the place of the table when there is no table to show. */
export function StateCard({ Icon, title, text, role, children }: StateCardProps) {
  return (
    <div role={role} className="flex flex-col items-center rounded-lg border bg-card px-6 py-14 text-center shadow-xs">
      <span className="grid size-10 place-items-center rounded-lg border bg-muted text-muted-foreground">
        <Icon aria-hidden className="size-5" />
      </span>
      <h2 className="mt-4 text-[0.9375rem] font-semibold">{title}</h2>
      <p className="mt-1 max-w-sm text-[0.8125rem] leading-5 text-pretty text-muted-foreground">{text}</p>
      {children !== undefined && <div className="mt-5">{children}</div>}
    </div>
  );
}
