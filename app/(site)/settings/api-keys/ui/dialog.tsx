"use client";

import * as Primitive from "@radix-ui/react-dialog";
import { type ComponentProps, useEffect, useRef } from "react";

import { cn } from "./cn";
import { contentClasses, descriptionClasses, overlayClasses, titleClasses } from "./dialog-parts";

export const Dialog = Primitive.Root;
export const DialogClose = Primitive.Close;

/** Within this time a click may be the second one of a double click that has opened the dialog. */
const doubleClickMilliseconds = 500;

type ContentProps = Omit<ComponentProps<typeof Primitive.Content>, "className"> & { width?: "md" | "xl" };

export function DialogContent({ width = "md", ...props }: ContentProps) {
  const openedAt = useRef(-Infinity);
  useEffect(() => {
    openedAt.current = performance.now();
  }, []);
  return (
    <Primitive.Portal>
      {/* A press beside the dialog, such as the second of a double click, takes the focus from nothing in it. */}
      <Primitive.Overlay className={overlayClasses} onMouseDown={(event) => event.preventDefault()} />
      <Primitive.Content
        className={contentClasses(width)}
        onPointerDownOutside={(event) => {
          if (performance.now() - openedAt.current < doubleClickMilliseconds) event.preventDefault();
        }}
        {...props}
      />
    </Primitive.Portal>
  );
}

/** A dialog that asks: only its own buttons and Escape close it, and never a press beside it. */
export function AlertDialogContent(props: Omit<ComponentProps<typeof Primitive.Content>, "className" | "role">) {
  return (
    <Primitive.Portal>
      <Primitive.Overlay className={overlayClasses} />
      <Primitive.Content
        role="alertdialog"
        className={contentClasses("md")}
        onInteractOutside={(event) => event.preventDefault()}
        {...props}
      />
    </Primitive.Portal>
  );
}

export function DialogTitle(props: Omit<ComponentProps<typeof Primitive.Title>, "className">) {
  return <Primitive.Title className={titleClasses} {...props} />;
}

/** @param isHidden for screen readers alone. */
export function DialogDescription({
  isHidden = false,
  ...props
}: Omit<ComponentProps<typeof Primitive.Description>, "className"> & { isHidden?: boolean }) {
  return <Primitive.Description className={isHidden ? "sr-only" : cn("mt-1", descriptionClasses)} {...props} />;
}
