import type { ReactNode } from "react";

import { ArrivedProvider } from "./arrived";

export default function ApiKeysLayout({ children }: { children: ReactNode }) {
  return <ArrivedProvider>{children}</ArrivedProvider>;
}
