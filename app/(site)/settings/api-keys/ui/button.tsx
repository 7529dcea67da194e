import type { ComponentProps } from "react";

import { cn } from "./cn";

const variants = {
  primary: "bg-primary text-primary-foreground shadow-xs hover:bg-primary/88",
  secondary: "border border-input bg-card text-foreground shadow-xs hover:bg-accent hover:text-accent-foreground",
  ghost: "text-muted-foreground hover:bg-accent hover:text-accent-foreground",
  destructive: "bg-destructive text-destructive-foreground shadow-xs hover:bg-destructive/90",
  destructiveOutline:
    "border border-destructive/40 bg-card text-destructive shadow-xs hover:border-destructive hover:bg-destructive/10",
  destructiveGhost: "text-destructive hover:bg-destructive/10",
};

const sizes = {
  md: "h-9 rounded-md px-3.5 [&_svg]:size-4",
  sm: "h-7 rounded-md px-2.5 text-[0.8125rem] [&_svg]:size-4",
  icon: "size-8 rounded-md [&_svg]:size-4",
  iconSm: "size-6 rounded-sm [&_svg]:size-3.5",
};

interface ButtonLook {
  variant?: keyof typeof variants;
  size?: keyof typeof sizes;
}

/** A button's look, for a link that stands where a button would. */
export function buttonClasses({ variant = "primary", size = "md" }: ButtonLook = {}, className?: string): string {
  return cn(
    "inline-flex shrink-0 items-center justify-center gap-1.5 font-medium whitespace-nowrap transition-colors select-none disabled:cursor-not-allowed disabled:opacity-50 aria-busy:cursor-progress [&_svg]:shrink-0",
    variants[variant],
    sizes[size],
    className,
  );
}

export function Button({
  className,
  variant = "primary",
  size = "md",
  type = "button",
  ...props
}: ComponentProps<"button"> & ButtonLook) {
  return <button type={type} className={buttonClasses({ variant, size }, className)} {...props} />;
}
