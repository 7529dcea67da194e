import { Skeleton } from "@/app/components/ui/skeleton";

import { strings } from "../strings";
import { KeyTableHead } from "./key-table";
import { Cell, TableFrame } from "./table-parts";

const rows = ["first", "second", "third"];

export function KeyTableSkeleton() {
  return (
    <TableFrame caption={strings.loading}>
      <KeyTableHead />
      <tbody className="divide-y">
        {rows.map((row) => (
          <tr key={row}>
            <td className="w-full px-4 py-2.5">
              <Skeleton className="my-1.5 h-4 w-32" />
              <Skeleton className="my-2 h-3 w-44 md:hidden" />
              <Skeleton className="my-2 h-3 w-36 md:hidden" />
            </td>
            <Cell from="md">
              <Skeleton className="my-1.5 h-4 w-32" />
            </Cell>
            <Cell from="lg">
              <Skeleton className="my-1.5 h-4 w-16" />
            </Cell>
            <Cell from="lg">
              <Skeleton className="my-1.5 h-4 w-20" />
            </Cell>
            <Cell from="md">
              <Skeleton className="my-1.5 h-4 w-20" />
            </Cell>
            <Cell from="md">
              <Skeleton className="my-1.5 h-4 w-20" />
            </Cell>
            <Cell from="sm">
              <Skeleton className="my-1 h-5 w-16 rounded-full" />
            </Cell>
            <td className="py-2.5 pr-3 pl-1">
              <Skeleton className="h-7 w-16 rounded-md" />
            </td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}
