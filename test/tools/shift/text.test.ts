import { describe, expect, it } from 'vitest';

import { type ShiftFacts, totalsOf } from '../../../src/tools/shift/facts.ts';
import { openMatters, shiftText } from '../../../src/tools/shift/text.ts';

const shift = { start_time: '2026-12-01T00:00:00.000Z', end_time: '2026-12-01T08:00:00.000Z', namespace: undefined };

const alarm = {
  alarm_id: 'SLICE_OVERDUE/e-1',
  code: 'SLICE_OVERDUE',
  execution_id: 'e-1',
  sentence: '1 TF slice is overdue since 2026-12-01T04:22:36.555Z.',
  raised_at: '2026-12-01T04:22:40.000Z',
  state: 'raised',
  count: 1,
  seen_by: null,
  cleared_at: null,
};

const execution = {
  row: { execution_id: 'e-1', executed_by: 'rita', status_reason: null, start_time: shift.start_time },
  status: 'running',
  health: 'stalled',
  duration_seconds: 60,
  stf_count: 1,
  slices_created: 15,
  slices_completed: 14,
  stay_failed: 0,
  findings: [{ severity: 'error', code: alarm.code, sentence: alarm.sentence, causes: [] }],
};

/** What is known of a shift with one execution. */
const factsWith = (alarms: readonly object[]) =>
  ({
    executions: [execution],
    all: [execution.row],
    causes: [],
    actions: [],
    ended: [],
    stf_files: { count: 1, bytes: 0 },
    handover: { alarms, qualities: new Map(), judgements: [], left: [], notes: [], forNext: [], isWatched: true },
  }) as unknown as ShiftFacts;

const standing = 'e-1 is running, health stalled: 14 of 15 slices made so far are done';

describe('what is open at the end of a shift', () => {
  it.each([
    ['no alarm', [], []],
    ['an alarm that no one has seen', [alarm], [' No one has seen its alarm.']],
    ['an alarm that someone has seen', [{ ...alarm, seen_by: 'bob' }], []],
    ['an alarm that has cleared', [{ ...alarm, state: 'cleared' }], []],
  ])('names each finding once if it has %s', (_, alarms, words) => {
    expect(openMatters(factsWith(alarms), shift)).toEqual([
      standing,
      ['e-1 SLICE_OVERDUE: 1 TF slice is overdue since 2026-12-01T04:22:36.555Z.', ...words].join(''),
    ]);
  });

  it('includes an unseen alarm whose finding has gone', () => {
    const other = { ...alarm, alarm_id: 'STAGE_STUCK/e-1', code: 'STAGE_STUCK', sentence: 'The DAQ is silent (3 s).' };
    expect(openMatters(factsWith([other]), shift)).toContain(
      'no one has seen alarm STAGE_STUCK/e-1: The DAQ is silent',
    );
  });

  it('names an unseen alarm whose finding has become harmless, since no other line shows it', () => {
    const facts = factsWith([alarm]);
    const [one] = facts.executions;
    const info = one?.findings.map((finding) => ({ ...finding, severity: 'info' }));
    const executions = [{ ...one, findings: info }] as unknown as ShiftFacts['executions'];
    expect(openMatters({ ...facts, executions }, shift)).toEqual([
      standing,
      'no one has seen alarm SLICE_OVERDUE/e-1: 1 TF slice is overdue since 2026-12-01T04:22:36.555Z',
    ]);
  });

  it('shows each unseen alarm once in Markdown: with its finding or, if there is no room for that, by itself', () => {
    const names = Array.from({ length: 11 }, (_, n) => `e-${n + 10}`);
    const alarms = names.map((id) => ({ ...alarm, execution_id: id, subject: id, alarm_id: `${alarm.code}/${id}` }));
    const executions = names.map((id) => ({
      ...execution,
      row: { ...execution.row, execution_id: id },
      status: 'completed',
    }));
    const facts = { ...factsWith(alarms), executions, all: executions.map(({ row }) => row) } as unknown as ShiftFacts;
    const told = { ...facts, totals: totalsOf(facts, shift), open: openMatters(facts, shift) };
    const lines = shiftText(shift, told, undefined).split('\n');
    const [open, rest] = [lines.slice(0, lines.indexOf('## Executions')), lines.slice(lines.indexOf('## Alarms'))];
    const has = (among: readonly string[], id: string) => among.filter((line) => line.includes(`${id} `)).length;
    expect(names.map((id) => has(open, id) + has(rest, id))).toEqual(names.map(() => 1));
    expect(open.filter((line) => line.includes('No one has seen its alarm'))).toHaveLength(8);
  });

  it('says that no one has seen an alarm even if the sentence of its finding is long', () => {
    const facts = factsWith([{ ...alarm, subject: 'e-1' }]);
    const findings = [{ ...execution.findings[0], sentence: 'Workers fail. '.repeat(60) }];
    const executions = [{ ...execution, findings }] as unknown as ShiftFacts['executions'];
    const told = {
      ...facts,
      executions,
      totals: totalsOf(facts, shift),
      open: openMatters({ ...facts, executions }, shift),
    };
    const text = shiftText(shift, told, undefined);
    expect(text).toMatch(/^- e-1 SLICE_OVERDUE: .*… No one has seen its alarm\.$/m);
    expect(text).not.toContain('## Alarms');
  });

  it('is shown with readable times in Markdown', () => {
    const facts = factsWith([]);
    const told = { ...facts, totals: totalsOf(facts, shift), open: openMatters(facts, shift) };
    expect(shiftText(shift, told, undefined)).toContain('since 2026-12-01 04:22:36 UTC.');
  });
});
