"use client";

import { AlertDialog as Primitive } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "./cn";
import { contentClasses, descriptionClasses, overlayClasses, titleClasses } from "./dialog-parts";

export const AlertDialog = Primitive.Root;

export function AlertDialogContent({ className, ...props }: ComponentProps<typeof Primitive.Content>) {
  return (
    <Primitive.Portal>
      <Primitive.Overlay className={overlayClasses} />
      <Primitive.Content className={contentClasses(className)} {...props} />
    </Primitive.Portal>
  );
}

export function AlertDialogTitle(props: Omit<ComponentProps<typeof Primitive.Title>, "className">) {
  return <Primitive.Title className={titleClasses} {...props} />;
}

export function AlertDialogDescription({ className, ...props }: ComponentProps<typeof Primitive.Description>) {
  return <Primitive.Description className={cn(descriptionClasses, className)} {...props} />;
}
