import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ComponentChildren;
  /** Whether to align the cells as numbers. */
  isNumber?: boolean;
  shade?: string;
}

/** A column of aligned numbers. */
export const numbers = <Row,>(head: string, cell: Column<Row>['cell'], shade?: string): Column<Row> => ({
  head,
  cell,
  isNumber: true,
  ...(shade === undefined ? {} : { shade }),
});

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  isTall?: boolean;
  /** On a narrow screen the first column has a line of its own above the others. */
  isStacked?: boolean;
  /** On a narrow screen each row is a block of its cells, without heads. */
  isCards?: boolean;
}

/** A table in its own box, which scrolls if there is no room. */
export function Table<Row>({ label, columns, rows, keyOf, isTall, isStacked, isCards }: TableProps<Row>) {
  const shadeOf = ({ isNumber, shade = '' }: Column<Row>): string => `${isNumber === true ? 'number' : ''} ${shade}`;
  return (
    <div
      class={`scroll ${isTall ? 'tall' : ''} ${isStacked ? 'stacked' : ''} ${isCards ? 'as-cards' : ''}`}
      tabindex={0}
      role="region"
      aria-label={label}
    >
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" class={shadeOf(column)}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td key={column.head} class={shadeOf(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
