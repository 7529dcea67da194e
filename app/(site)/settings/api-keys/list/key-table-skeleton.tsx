import { Skeleton } from "../ui/skeleton";

import { strings } from "../strings";
import { KeyTableHead } from "./key-table";
import { Cell, TableFrame } from "./table-parts";

const rows = ["first", "second", "third"];

/** The table's columns between the name and the actions, each about as wide as what will be in it. */
const columns = [
  { column: "key", from: "md", className: "my-1.5 h-4 w-32", shape: "line" },
  { column: "scopes", from: "lg", className: "my-1.5 h-4 w-16", shape: "line" },
  { column: "created", from: "lg", className: "my-1.5 h-4 w-20", shape: "line" },
  { column: "lastUsed", from: "md", className: "my-1.5 h-4 w-20", shape: "line" },
  { column: "expires", from: "md", className: "my-1.5 h-4 w-20", shape: "line" },
  { column: "status", from: "sm", className: "my-1 h-5 w-16", shape: "pill" },
] as const;

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
            {columns.map(({ column, from, className, shape }) => (
              <Cell key={column} from={from}>
                <Skeleton className={className} shape={shape} />
              </Cell>
            ))}
            <td className="py-2.5 pr-3 pl-1">
              <Skeleton className="h-7 w-16" shape="button" />
            </td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}
