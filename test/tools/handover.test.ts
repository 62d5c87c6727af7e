import { describe, expect, it } from 'vitest';

import { ask, connectInProcess, makeStore, noCounts, type TestStore } from '../helpers.ts';

/** Hours before the end of the shift, which is now. */
const end = Date.now() - 1000;
const hour = (before: number): string => new Date(end - before * 3_600_000).toISOString();

/** A store that records each message at the time at which it was sent. */
async function storeOfThen(): Promise<TestStore> {
  const made = await makeStore();
  return { ...made, say: (type, fields) => made.say(type, fields, { recordedAt: fields.timestamp as string }) };
}

const idOf = (n: number): string => `stf_datataking-tester-000${n}`;

/** A run without slices that began then, and ended half an hour later or is still running. */
async function run(
  { say }: TestStore,
  n: number,
  { began, status }: { began: number; status?: 'completed' | 'failed' },
): Promise<void> {
  await say('run_workflow', {
    command_id: `c${n}`,
    workflow_name: 'stf_datataking',
    params: {},
    executed_by: 'tester',
    speed: 1,
    timestamp: hour(began),
  });
  if (status === undefined) return;
  const of = { execution_id: idOf(n), run_id: String(100_009 + n), timestamp: hour(began - 0.5) };
  await say('workflow_ended', {
    ...of,
    ...noCounts,
    status,
    reason: status === 'failed' ? 'the disk is full' : status,
  });
}

interface Trouble {
  of: number;
  /** What it is about, if not only its run. */
  about?: string;
  code: string;
  raised: number;
  seen?: number;
  by?: string;
  cleared?: number;
  count?: number;
}

async function trouble(
  { say }: TestStore,
  { of, about: part, code, raised, seen, by = '', cleared, count = 1 }: Trouble,
): Promise<void> {
  const subject = part === undefined ? idOf(of) : `${idOf(of)}:${part}`;
  const alarm = { code, subject, sentence: `${code} it is`, severity: 'error', count } as const;
  const about = { execution_id: idOf(of), sender: 'watch' };
  await say('alarm_raised', { ...alarm, ...about, timestamp: hour(raised) });
  if (seen !== undefined)
    await say('alarm_seen', { ...alarm, ...about, sender: by, author: by, text: 'I look', timestamp: hour(seen) });
  if (cleared !== undefined) await say('alarm_cleared', { ...alarm, ...about, timestamp: hour(cleared) });
}

async function note(
  { say }: TestStore,
  n: number,
  fields: { author: string; text: string; at: number; execution_id?: string; for_next?: boolean },
): Promise<void> {
  const { author, text, at, execution_id, for_next } = fields;
  await say('note', { command_id: `n${n}`, sender: author, author, text, for_next, execution_id, timestamp: hour(at) });
}

/** Eight hours of two people: six runs, three troubles. */
async function shift(): Promise<TestStore> {
  const made = await storeOfThen();
  await note(made, 1, { author: 'eve', text: 'mind the new payload', at: 9, for_next: true });
  await note(made, 2, { author: 'eve', text: 'quiet evening', at: 10 });
  await run(made, 1, { began: 7.5, status: 'completed' });
  await run(made, 2, { began: 6.5, status: 'failed' });
  await trouble(made, { of: 2, code: 'EXECUTION_FAILED', raised: 6, seen: 5.9, by: 'ana' });
  await made.say('quality', {
    command_id: 'q1',
    execution_id: idOf(2),
    value: 'bad',
    reason: 'disk',
    author: 'ana',
    sender: 'ana',
    timestamp: hour(5.8),
  });
  await run(made, 3, { began: 5, status: 'completed' });
  await trouble(made, {
    of: 3,
    about: 'daq_simulator',
    code: 'STAGE_STUCK',
    raised: 4.9,
    seen: 4.8,
    by: 'bo',
    cleared: 4.7,
  });
  await note(made, 3, { author: 'bo', text: 'the link was down', at: 4.6, execution_id: idOf(3) });
  await run(made, 4, { began: 4, status: 'completed' });
  await made.say('quality', {
    command_id: 'q2',
    execution_id: idOf(4),
    value: 'good',
    reason: 'as planned',
    author: 'bo',
    sender: 'bo',
    timestamp: hour(3),
  });
  await run(made, 5, { began: 2, status: 'completed' });
  await trouble(made, { of: 5, code: 'SLICES_FAILED', raised: 1.5 });
  await run(made, 6, { began: 1 });
  await note(made, 4, { author: 'ana', text: 'run 6 goes on till noon', at: 0.1, for_next: true });
  return made;
}

describe('the handover of an eight-hour shift', () => {
  it('lists notes from the last shift, what people did, what is open, and notes for the next shift', async () => {
    const client = await connectInProcess((await shift()).path);
    const report = await ask(client, 'shift_report', { start_time: hour(8), end_time: new Date(end).toISOString() });
    expect(report).toMatchObject({
      totals: { executions: 6, running: 1, completed: 4, failed: 1 },
      from_last: [{ author: 'eve', text: 'mind the new payload', for_next: true }],
      notes: [{ author: 'bo', text: 'the link was down', execution_id: idOf(3) }],
      for_next: [{ author: 'ana', text: 'run 6 goes on till noon' }],
      alarms: [
        { alarm_id: `EXECUTION_FAILED/${idOf(2)}`, state: 'seen', seen_by: 'ana', seen_text: 'I look' },
        { alarm_id: `STAGE_STUCK/${idOf(3)}:daq_simulator`, state: 'cleared', seen_by: 'bo' },
        { alarm_id: `SLICES_FAILED/${idOf(5)}`, state: 'raised' },
      ],
    });
    const people = report['people'] as { name: string; did: string; execution_id: string }[];
    expect(
      people
        .filter(({ did }) => did !== 'started')
        .map(({ name, did, execution_id }) => `${name} ${did} ${execution_id}`),
    ).toEqual([
      `ana saw EXECUTION_FAILED of ${idOf(2)}`,
      `ana set the quality to bad for ${idOf(2)}`,
      `bo saw STAGE_STUCK of ${idOf(3)}`,
      `bo set the quality to good for ${idOf(4)}`,
    ]);
    expect(
      report['open'].filter(
        (line: string) => !line.startsWith(`${idOf(6)} STAGE_STUCK`) && !line.startsWith(`${idOf(6)} DATA_OLD`),
      ),
    ).toEqual([
      expect.stringMatching(`^${idOf(6)} is running, health stalled`),
      `${idOf(2)} EXECUTION_FAILED: The workflow could not continue: the disk is full`,
      `no quality is set for ${idOf(5)}, ${idOf(3)}, ${idOf(1)}`,
      `no one has seen alarm SLICES_FAILED/${idOf(5)}: SLICES_FAILED it is`,
    ]);
    const lines = (report['text'] as string).split('\n');
    const titles = lines.filter((line) => line.startsWith('## ')).map((line) => line.slice(3));
    expect(titles).toEqual([
      'Open',
      'From the last shift',
      'Executions',
      'Alarms',
      'Notes',
      'Who did what',
      'For the next shift',
    ]);
    expect(lines).toContainEqual(expect.stringMatching(/^- \S+ \d\d:\d\d:\d\d UTC eve: mind the new payload$/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^- \S+ \d\d:\d\d:\d\d UTC bo, stf_datataking-tester-0003: the link was down$/),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(
        /STAGE_STUCK\/stf_datataking-tester-0003:daq_simulator \(seen by bo at \S+ \S+ UTC, I look, cleared at \S+ \S+ UTC\): /,
      ),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^\| stf_datataking-tester-0002 \| failed \| tester \| bad \| /),
    );
    // Each thing once: who started a run is in the table, and who has seen an alarm beside it.
    expect(lines.filter((line) => / (started|saw) /.test(line) && line.startsWith('- '))).toEqual([]);
    expect(lines.length).toBeLessThan(35);
  });

  it('in the past shows the state at its end, whatever people did later', async () => {
    const client = await connectInProcess((await shift()).path);
    const report = await ask(client, 'shift_report', { start_time: hour(8), end_time: hour(4.85) });
    expect(report['alarms']).toMatchObject([
      { state: 'seen' },
      { state: 'raised', alarm_id: `STAGE_STUCK/${idOf(3)}:daq_simulator` },
    ]);
    expect(report['alarms'][1]).not.toHaveProperty('seen_by');
    expect(report).not.toHaveProperty('for_next');
    expect(report['open']).toContainEqual(
      expect.stringMatching(new RegExp(`^${idOf(3)} STAGE_STUCK: .* No one has seen its alarm\\.$`)),
    );
  });

  it('lists every quality judgement in order, and shows the one in effect at the end of the shift', async () => {
    const made = await storeOfThen();
    await run(made, 1, { began: 7.5, status: 'completed' });
    for (const [n, value] of (['bad', 'good', 'none'] as const).entries())
      await made.say('quality', {
        command_id: `q${n}`,
        execution_id: idOf(1),
        value,
        reason: 'as seen',
        author: 'ana',
        sender: 'token',
        timestamp: hour(6 - n),
      });
    const client = await connectInProcess(made.path);
    const until = async (end_time: string) => ask(client, 'shift_report', { start_time: hour(8), end_time });
    const report = await until(hour(4.5));
    expect(report['executions']).toMatchObject([{ quality: 'good' }]);
    expect(report['people'].map(({ name, sent_by, did }: Record<string, string>) => [name, sent_by, did])).toEqual([
      ['tester', undefined, 'started'],
      ['ana', 'token', 'set the quality to bad for'],
      ['ana', 'token', 'set the quality to good for'],
    ]);
    expect((await until(hour(3)))['executions'][0]).not.toHaveProperty('quality');
  });

  it('lists both occurrences of a recurring alarm, and earlier unseen alarms in one line', async () => {
    const made = await storeOfThen();
    await run(made, 1, { began: 20, status: 'failed' });
    await trouble(made, { of: 1, code: 'EXECUTION_FAILED', raised: 19 });
    await run(made, 2, { began: 7.5 });
    await trouble(made, { of: 2, code: 'DRIVER_GONE', raised: 7, seen: 6.9, by: 'ana', cleared: 6 });
    await trouble(made, { of: 2, code: 'DRIVER_GONE', raised: 5, count: 2 });
    const client = await connectInProcess(made.path);
    const report = await ask(client, 'shift_report', { start_time: hour(8), end_time: hour(0) });
    expect(report['alarms']).toMatchObject([
      { alarm_id: `EXECUTION_FAILED/${idOf(1)}` },
      { alarm_id: `DRIVER_GONE/${idOf(2)}`, state: 'cleared', seen_by: 'ana', count: 1 },
      { alarm_id: `DRIVER_GONE/${idOf(2)}`, state: 'raised', count: 2 },
    ]);
    expect(report['text']).toMatch(/## Alarms\n.*EXECUTION_FAILED.*\n.*DRIVER_GONE.*cleared .*\n.*raised 2 times/);
    expect(report['people']).toContainEqual(expect.objectContaining({ name: 'ana', did: 'saw DRIVER_GONE of' }));
    expect(report['open'].slice(-2)).toEqual([
      `no one has seen alarm DRIVER_GONE/${idOf(2)}: DRIVER_GONE it is`,
      '1 earlier alarm is still unseen',
    ]);
  });

  it('shows only the newest notes if there are many', async () => {
    const made = await storeOfThen();
    for (let n = 1; n <= 30; n += 1)
      await note(made, n, { author: 'ana', text: `note ${n}`, at: 7 - n / 10, for_next: true });
    const client = await connectInProcess(made.path);
    const { text } = await ask(client, 'shift_report', { start_time: hour(8), end_time: hour(0) });
    expect(text).toContain('- 20 earlier notes not shown; ask for a shorter period');
    expect(text).toMatch(/ana: note 30$/);
    expect(text).not.toMatch(/note 20$/m);
  });
});

it('the handover of three runs with a bad slot has at most 25 lines, and names the slot but not the cause', async () => {
  const made = await storeOfThen();
  const cause = 'enospc.sh ended with exit code 28: no space left on slot05';
  for (const n of [1, 2]) await run(made, n, { began: 7 - n, status: 'completed' });
  await run(made, 3, { began: 1 });
  const sentence = `348 of 384 first attempts on slot w/05 failed, and none of 1419 elsewhere: so it is the slot. 348 attempts failed: 348 × ${cause}.`;
  const alarm = { subject: idOf(2), severity: 'error', count: 1 } as const;
  const about = { execution_id: idOf(2), sender: 'watch', timestamp: hour(4) };
  await made.say('alarm_raised', { ...alarm, code: 'FAILURES_ON_ONE', sentence, ...about });
  await made.say('alarm_seen', {
    ...alarm,
    code: 'FAILURES_ON_ONE',
    sentence,
    ...about,
    author: 'ana',
    sender: 'ana',
    text: 'I clean it',
  });
  await made.say('alarm_raised', {
    ...alarm,
    code: 'SLICES_FAILED',
    sentence: `51 TF slices failed permanently. 348 attempts failed: 348 × ${cause}.`,
    ...about,
  });
  await note(made, 1, { author: 'ana', text: 'mind slot 05', at: 0.1, for_next: true });
  const client = await connectInProcess(made.path);
  const { text, alarms } = await ask(client, 'shift_report', {
    start_time: hour(8),
    end_time: new Date(end).toISOString(),
  });
  expect(text.split('\n').length).toBeLessThanOrEqual(25);
  expect(text).not.toContain(cause);
  expect(alarms[0].sentence).toBe(
    '348 of 384 first attempts on slot w/05 failed, and none of 1419 elsewhere: so it is the slot',
  );
  expect(text).toMatch(
    /FAILURES_ON_ONE.* \(seen by ana at \S+ \S+ UTC, I clean it, not cleared\): 348 of 384 .* slot w\/05/,
  );
  expect(text).toContain(`- no one has seen alarm SLICES_FAILED/${idOf(2)}: 51 TF slices failed permanently`);
});
