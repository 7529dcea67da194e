"use client";

import { Check, Monitor, Moon, Sun } from "lucide-react";
import { useTheme } from "next-themes";

import { buttonClasses } from "../(site)/settings/api-keys/ui/button";
import { siteStrings } from "../strings";
import { Menu, MenuItem } from "./menu";

const themes = [
  { value: "light", Icon: Sun },
  { value: "dark", Icon: Moon },
  { value: "system", Icon: Monitor },
] as const;

export function ThemeMenu() {
  const { theme = "system", setTheme } = useTheme();
  return (
    <Menu
      label={siteStrings.theme.label}
      triggerClassName={buttonClasses({ variant: "ghost", size: "icon" }, "aria-expanded:bg-accent")}
      trigger={
        <>
          <Sun aria-hidden className="dark:hidden" />
          <Moon aria-hidden className="not-dark:hidden" />
        </>
      }
    >
      {themes.map(({ value, Icon }) => (
        <MenuItem key={value} isChosen={value === theme} onSelect={() => setTheme(value)}>
          <Icon aria-hidden />
          <span>{siteStrings.theme[value]}</span>
          {value === theme && (
            <span className="ml-auto pl-3">
              <Check aria-hidden />
            </span>
          )}
        </MenuItem>
      ))}
    </Menu>
  );
}
