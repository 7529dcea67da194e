"use client";

import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useId, useRef, useState } from "react";

interface MenuProps {
  label: string;
  triggerClassName: string;
  trigger: ReactNode;
  children: ReactNode;
}

/** A button that opens a menu below it. Arrow keys, Home, End and first letters move in it; Escape and Tab close it. */
export function Menu({ label, triggerClassName, trigger, children }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const triggerRef = useRef<HTMLButtonElement>(null);
  const menuRef = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => {
    setOpen(false);
    triggerRef.current?.focus();
  };
  useEffect(() => {
    if (!isOpen) return;
    menuRef.current?.querySelector<HTMLElement>(itemSelector)?.focus();
    const closeOutside = ({ target }: Event) => {
      const isInside = [menuRef, triggerRef].some(({ current }) => target instanceof Node && current?.contains(target));
      if (!isInside) setOpen(false);
    };
    document.addEventListener("pointerdown", closeOutside);
    document.addEventListener("focusin", closeOutside);
    return () => {
      document.removeEventListener("pointerdown", closeOutside);
      document.removeEventListener("focusin", closeOutside);
    };
  }, [isOpen]);
  return (
    <div className="relative">
      <button
        ref={triggerRef}
        id={id}
        type="button"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        className={triggerClassName}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {trigger}
      </button>
      {isOpen && (
        <div
          ref={menuRef}
          role="menu"
          aria-labelledby={id}
          className="absolute top-full right-0 z-50 mt-1.5 min-w-40 animate-rise-in rounded-lg border bg-popover p-1 text-popover-foreground shadow-lg"
          onClick={(event) => {
            if (event.target instanceof Element && event.target.closest(itemSelector)) close();
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape" || event.key === "Tab") {
              if (event.key === "Escape") event.preventDefault();
              close();
            } else moveFocus(menuRef, event);
          }}
        >
          {children}
        </div>
      )}
    </div>
  );
}

const itemSelector = "[role^=menuitem]";

/** Moves the focus to another item, as the keys of a menu do. */
function moveFocus(menu: RefObject<HTMLElement | null>, event: KeyboardEvent): void {
  const items = [...(menu.current?.querySelectorAll<HTMLElement>(itemSelector) ?? [])];
  const at = items.findIndex((item) => item === document.activeElement);
  const target =
    event.key === "ArrowDown"
      ? items[(at + 1) % items.length]
      : event.key === "ArrowUp"
        ? items.at(at <= 0 ? -1 : at - 1)
        : event.key === "Home"
          ? items[0]
          : event.key === "End"
            ? items.at(-1)
            : event.key.trim().length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey
              ? startingWith(event.key, [...items.slice(at + 1), ...items.slice(0, at + 1)])
              : undefined;
  if (!target) return;
  event.preventDefault();
  target.focus();
}

function startingWith(letter: string, items: HTMLElement[]): HTMLElement | undefined {
  return items.find((item) => item.textContent.trim().toLowerCase().startsWith(letter.toLowerCase()));
}

interface MenuItemProps {
  children: ReactNode;
  onSelect: () => void;
  /** Whether this one of several is chosen. Absent: it is an action, and no choice. */
  isChosen?: boolean;
}

export function MenuItem({ children, onSelect, isChosen }: MenuItemProps) {
  return (
    <button
      type="button"
      tabIndex={-1}
      {...(isChosen === undefined ? { role: "menuitem" } : { role: "menuitemradio", "aria-checked": isChosen })}
      className="flex h-8 w-full items-center gap-2 rounded-sm px-2 text-[0.8125rem] outline-none select-none focus:bg-accent focus:text-accent-foreground [&_svg]:size-4 [&_svg]:text-muted-foreground"
      onPointerMove={(event) => event.currentTarget.focus({ preventScroll: true })}
      onClick={onSelect}
    >
      {children}
    </button>
  );
}
