import { expect, it } from 'vitest';

import { addAttempts } from '../../../src/db/summaries/summary.ts';
import { AttemptColumns } from '../../../src/db/timeline/attempt-columns.ts';
import { createGroups } from '../../../src/domain/groups.ts';
import type { SummaryKey, SummaryQuestion } from '../../../src/domain/summary-words.ts';

/** As many rows as the columns have room for before they grow. */
const full = 32_768;

function addRow(columns: AttemptColumns, i: number, error: string | undefined): void {
  const at = columns.placeOf({ stf: 'swf.7.000001.stf', file: null }, i, 1);
  columns.setState(at, error === undefined ? 'completed' : 'failed', true);
  for (const time of ['created', 'queued', 'started'] as const) columns[time][at] = i;
  columns.completed[at] = i + 1;
  columns.processing[at] = NaN;
  columns.setNames(at, ['worker-1/00', 'host-a', error ?? null, null]);
}

it.each<[SummaryKey, unknown]>([
  ['attempt', [['1', full + 10]]],
  ['worker', [['worker-1/00', full + 10]]],
  ['host', [['host-a', full + 10]]],
  ['stf_filename', [['swf.7.000001.stf', full + 10]]],
  ['minute', [['1970-01-01T00:00Z', full + 10]]],
  ['cause', [['boom', 2]]],
])('groups by %s include rows that are added between two steps', (key, expected) => {
  const columns = new AttemptColumns();
  for (let i = 0; i < full; i += 1) addRow(columns, i, i === 5 ? 'boom' : undefined);
  const groups = createGroups();
  const question = { what: 'slices', keys: [key], time_field: 'created' } as const satisfies SummaryQuestion;
  const of = { execution_id: 'w-x-0001', namespace: 'test', person: null, is_placeholder: 0 } as const;
  const steps = addAttempts(groups, { columns, of, isWorker: () => true }, question);
  expect(steps.next().done).toBe(false);
  // The next row makes the columns grow.
  expect(columns.stf).toHaveLength(full);
  for (let i = full; i < full + 10; i += 1) addRow(columns, i, i === full + 3 ? 'boom' : undefined);
  while (steps.next().done !== true);
  expect(groups.all([key], true).map(({ keys: [name], count }) => [name, count])).toEqual(expected);
});
