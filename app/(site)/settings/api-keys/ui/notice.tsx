import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";

import { cn } from "./cn";

const variants = {
  neutral: { Icon: Info, classes: "bg-muted [&>svg]:text-muted-foreground" },
  success: { Icon: CircleCheck, classes: "border-success/25 bg-success/7 [&>svg]:text-success" },
  warning: { Icon: TriangleAlert, classes: "border-warning/30 bg-warning/8 [&>svg]:text-warning" },
  destructive: { Icon: CircleAlert, classes: "border-destructive/30 bg-destructive/7 [&>svg]:text-destructive" },
};

type NoticeProps = Omit<ComponentProps<"div">, "title"> & {
  variant?: keyof typeof variants;
  title?: ReactNode;
  action?: ReactNode;
};

/** A message in a box. Give it `role="alert"` or `role="status"` when it appears without an action of the reader. */
export function Notice({ className, variant = "neutral", title, action, children, ...props }: NoticeProps) {
  const { Icon, classes } = variants[variant];
  return (
    <div
      className={cn(
        "flex flex-wrap gap-x-3 gap-y-2.5 rounded-md border px-3.5 py-3 text-[0.8125rem] leading-5 [&>svg]:mt-0.5 [&>svg]:size-4 [&>svg]:shrink-0",
        classes,
        className,
      )}
      {...props}
    >
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
