"use client";

import { Dialog as Primitive } from "radix-ui";
import { type ComponentProps, useEffect, useRef } from "react";

import { contentClasses, descriptionClasses, overlayClasses, titleClasses } from "./dialog-parts";

export const Dialog = Primitive.Root;
export const DialogClose = Primitive.Close;

/** Within this time a click may be the second one of a double click that has opened the dialog. */
const doubleClickMilliseconds = 500;

export function DialogContent({ className, ...props }: ComponentProps<typeof Primitive.Content>) {
  const openedAt = useRef(-Infinity);
  useEffect(() => {
    openedAt.current = performance.now();
  }, []);
  return (
    <Primitive.Portal>
      {/* A press beside the dialog, such as the second of a double click, takes the focus from nothing in it. */}
      <Primitive.Overlay className={overlayClasses} onMouseDown={(event) => event.preventDefault()} />
      <Primitive.Content
        className={contentClasses(className)}
        onPointerDownOutside={(event) => {
          if (performance.now() - openedAt.current < doubleClickMilliseconds) event.preventDefault();
        }}
        {...props}
      />
    </Primitive.Portal>
  );
}

export function DialogTitle(props: Omit<ComponentProps<typeof Primitive.Title>, "className">) {
  return <Primitive.Title className={titleClasses} {...props} />;
}

export function DialogDescription(props: Omit<ComponentProps<typeof Primitive.Description>, "className">) {
  return <Primitive.Description className={descriptionClasses} {...props} />;
}
