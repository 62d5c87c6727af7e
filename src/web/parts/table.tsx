import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ComponentChildren;
  shade?: string;
}

/** A column of aligned numbers. */
export const numbers = <Row,>(head: string, cell: Column<Row>['cell'], shade = ''): Column<Row> => ({
  head,
  cell,
  shade: `number ${shade}`,
});

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  isTall?: boolean;
  /** Whether, on a narrow screen, the first column has its own line above the others. */
  isStacked?: boolean;
  /** Whether, on a narrow screen, each row is shown as a block of cells, without column heads. */
  isCards?: boolean;
}

/** A table in a box, which scrolls if the table does not fit. */
export const Table = <Row,>({ label, columns, rows, keyOf, isTall, isStacked, isCards }: TableProps<Row>) => (
  <div
    class={`scroll ${isTall ? 'tall' : ''} ${isStacked ? 'stacked' : ''} ${isCards ? 'as-cards' : ''}`}
    tabindex={0}
    role="region"
    aria-label={label}
  >
    <table>
      <thead>
        <tr>
          {columns.map(({ head, shade }) => (
            <th key={head} scope="col" class={shade}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ head, cell, shade }) => (
              <td key={head} class={shade}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
