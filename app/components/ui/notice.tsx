import { cva, type VariantProps } from "class-variance-authority";
import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";

import { cn } from "./cn";

const noticeVariants = cva(
  "flex flex-wrap gap-x-3 gap-y-2.5 rounded-md border px-3.5 py-3 text-[0.8125rem] leading-5 [&>svg]:mt-0.5 [&>svg]:size-4 [&>svg]:shrink-0",
  {
    variants: {
      variant: {
        neutral: "bg-muted [&>svg]:text-muted-foreground",
        success: "border-success/25 bg-success/7 [&>svg]:text-success",
        warning: "border-warning/30 bg-warning/8 [&>svg]:text-warning",
        destructive: "border-destructive/30 bg-destructive/7 [&>svg]:text-destructive",
      },
    },
    defaultVariants: { variant: "neutral" },
  },
);

const icons = { neutral: Info, success: CircleCheck, warning: TriangleAlert, destructive: CircleAlert };

type NoticeProps = Omit<ComponentProps<"div">, "title"> &
  VariantProps<typeof noticeVariants> & { title?: ReactNode; action?: ReactNode };

/** A message in a box. Give it `role="alert"` or `role="status"` when it appears without an action of the reader. */
export function Notice({ className, variant, title, action, children, ...props }: NoticeProps) {
  const Icon = icons[variant ?? "neutral"];
  return (
    <div className={cn(noticeVariants({ variant }), className)} {...props}>
      <Icon aria-hidden />
      {/* Where there is no room beside the text, the action goes below it. */}
      <div className="min-w-0 flex-1 basis-48">
        {title !== undefined && <p className="font-medium">{title}</p>}
        {children !== undefined && <div className="text-pretty text-muted-foreground">{children}</div>}
      </div>
      {action}
    </div>
  );
}
