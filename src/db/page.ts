import type { Prepare } from './statements.ts';

/** One page of a list, in the order of recording. */
export interface Page {
  order: 'newest' | 'oldest';
  limit: number;
  /** The key of the last row of the page before. */
  after?: number | undefined;
  /** The last few are wanted, and nobody asks how many there are. */
  uncounted?: boolean;
}

export interface ListPage<Row> {
  rows: Row[];
  /** All rows that fit the filter, on whatever page. */
  total_count: number;
  has_more: boolean;
}

/** SQL conditions with one value each; those without a value are left out. */
export type Conditions = readonly (readonly [condition: string, value: string | number | undefined])[];

export interface ListQuery {
  select: string;
  from: string;
  /** What else each row needs, that no condition is about. */
  join?: string;
  /** The column that rows are ordered by: a sequence that only grows, so that pages stay put while rows are added. */
  key: string;
  conditions: Conditions;
  page: Page;
  /** How many rows there are, where that is known without counting. */
  total?: number | undefined;
}

/** Reads one page after a key. Column names come from this program, values are bound. */
export function listRows<Row>(sql: Prepare, query: ListQuery): ListPage<Row> {
  const { select, from, join = '', key, page } = query;
  const given = query.conditions.filter(([, value]) => value !== undefined);
  const where = given.map(([condition]) => condition);
  const values = given.map(([, value]) => value as string | number);
  const count = (): number =>
    sql<unknown[], { n: number }>(`SELECT count(*) AS n FROM ${from} ${whereClause(where)}`).get(...values)?.n ?? 0;

  const [comparison, direction] = page.order === 'newest' ? ['<', 'DESC'] : ['>', 'ASC'];
  const afterWhere = page.after === undefined ? where : [...where, `${key} ${comparison} ?`];
  const afterValues = page.after === undefined ? values : [...values, page.after];
  const rows = sql<unknown[], Row>(
    `SELECT ${select} FROM ${from} ${join} ${whereClause(afterWhere)} ORDER BY ${key} ${direction} LIMIT ?`,
  ).all(...afterValues, page.limit + 1);
  return {
    rows: rows.slice(0, page.limit),
    total_count: page.uncounted === true ? rows.length : (query.total ?? count()),
    has_more: rows.length > page.limit,
  };
}

const whereClause = (conditions: string[]): string =>
  conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
