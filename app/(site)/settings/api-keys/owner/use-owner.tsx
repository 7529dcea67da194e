"use client";

import { createContext, type ReactNode, use } from "react";

import type { ApiKeyList } from "latchkey";

import { type OwnerTexts, textsOf } from "../strings";

type Owner = Pick<ApiKeyList, "owner" | "canManage">;

const OwnerContext = createContext<Owner | null>(null);

export function OwnerProvider({ owner, canManage, children }: Owner & { children: ReactNode }) {
  return <OwnerContext value={{ owner, canManage }}>{children}</OwnerContext>;
}

/** Whose keys the page shows, whether the reader may change them, and the texts that say so. */
export function useOwner(): { isOrganization: boolean; canManage: boolean; texts: OwnerTexts } {
  const owner = use(OwnerContext);
  return {
    isOrganization: owner?.owner.kind === "organization",
    // While they load, the buttons have their place.
    canManage: owner?.canManage ?? true,
    texts: textsOf(owner?.owner ?? null),
  };
}
