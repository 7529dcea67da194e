"use client";

import { Check } from "lucide-react";
import { DropdownMenu as Primitive } from "radix-ui";
import type { ComponentProps } from "react";

export const DropdownMenu = Primitive.Root;
export const DropdownMenuTrigger = Primitive.Trigger;
export const DropdownMenuRadioGroup = Primitive.RadioGroup;

const itemClasses =
  "flex h-8 items-center gap-2 rounded-sm px-2 text-[0.8125rem] outline-none select-none data-highlighted:bg-accent data-highlighted:text-accent-foreground [&_svg]:size-4 [&_svg]:text-muted-foreground";

export function DropdownMenuContent(props: Omit<ComponentProps<typeof Primitive.Content>, "className">) {
  return (
    <Primitive.Portal>
      <Primitive.Content
        align="end"
        sideOffset={6}
        className="z-50 min-w-40 animate-rise-in rounded-lg border bg-popover p-1 text-popover-foreground shadow-lg"
        {...props}
      />
    </Primitive.Portal>
  );
}

export function DropdownMenuItem(props: Omit<ComponentProps<typeof Primitive.Item>, "className">) {
  return <Primitive.Item className={itemClasses} {...props} />;
}

export function DropdownMenuRadioItem({
  children,
  ...props
}: Omit<ComponentProps<typeof Primitive.RadioItem>, "className">) {
  return (
    <Primitive.RadioItem className={itemClasses} {...props}>
      {children}
      <Primitive.ItemIndicator className="ml-auto pl-3">
        <Check aria-hidden />
      </Primitive.ItemIndicator>
    </Primitive.RadioItem>
  );
}

export function DropdownMenuLabel(props: Omit<ComponentProps<typeof Primitive.Label>, "className">) {
  return <Primitive.Label className="px-2 py-1.5 text-[0.8125rem]" {...props} />;
}

export function DropdownMenuSeparator() {
  return <Primitive.Separator className="-mx-1 my-1 h-px bg-border" />;
}
