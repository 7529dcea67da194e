"use client";

import { Dialog as Primitive } from "radix-ui";
import type { ComponentProps } from "react";

import { contentClasses, descriptionClasses, overlayClasses, titleClasses } from "./dialog-parts";

export const Dialog = Primitive.Root;
export const DialogClose = Primitive.Close;

export function DialogContent({ className, ...props }: ComponentProps<typeof Primitive.Content>) {
  return (
    <Primitive.Portal>
      <Primitive.Overlay className={overlayClasses} />
      <Primitive.Content className={contentClasses(className)} {...props} />
    </Primitive.Portal>
  );
}

export function DialogTitle(props: Omit<ComponentProps<typeof Primitive.Title>, "className">) {
  return <Primitive.Title className={titleClasses} {...props} />;
}

export function DialogDescription(props: Omit<ComponentProps<typeof Primitive.Description>, "className">) {
  return <Primitive.Description className={descriptionClasses} {...props} />;
}
