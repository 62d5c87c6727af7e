import { describe, expect, it } from 'vitest';

import { recordHeard } from '../../src/db/observed/heard-messages.ts';
import { noteSpan } from '../../src/db/observed/hearings.ts';
import type { Store } from '../../src/db/opening/store.ts';
import { createQueries } from '../../src/db/queries.ts';
import { phaseChanges } from '../../src/db/reports/waiting.ts';
import { phasesOf } from '../../src/monitoring/timeline/phases.ts';
import { parseLine } from '../../src/observed/recording-lines.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { readStatement } from '../../src/observed/told/read-told.ts';
import { createReferences } from '../../src/observed/told/rest-rows.ts';
import { asEvent } from '../../src/tools/monitor/events.ts';
import { readRecording, recordedRuns } from '../observer/recordings.ts';
import { rounds } from '../rounds.ts';
import { makeRun, shuffled } from './generator.ts';
import { makeCalls } from './rest-generator.ts';
import { storeOf, tablesAfter } from './stores.ts';
import { tablesOf } from './tables.ts';
import { factsOf, interleaved, toldIn } from './told-setup.ts';

/** Notes that the observer listened for ten minutes more. */
async function listenOn(store: Store): Promise<void> {
  await store.write((tx) => {
    const { last } = tx.sql<[], { last: number }>('SELECT max(sent_ms) AS last FROM message_rows').get() ?? { last: 0 };
    noteSpan(tx, { since: last - 600_000, until: last + 600_000 }, []);
  });
}

const madeLines = (seed: number) => {
  const made = makeRun({ seed });
  const { calls, truth } = makeCalls(made, seed);
  const references = createReferences();
  return {
    bus: made.lines,
    rest: calls.flatMap((call) => references(call) ?? []),
    truth: { ...made.truth, ...truth },
  };
};

describe('a REST call to the monitor', () => {
  it.each([
    [
      'POST',
      '/api/workflow-executions/',
      { execution_id: 'e', start_time: 's' },
      'execution_registered',
      'told_execution',
    ],
    ['PATCH', '/api/workflow-executions/e.1/', { status: 'terminated' }, 'execution_status', 'told_status'],
    ['PATCH', '/swf-monitor/api/workflow-executions/e.1', { status: 'odd' }, 'execution_status', 'told'],
    ['POST', '/api/run-states/', { run_number: '7' }, 'run_registered', 'told'],
    ['PATCH', '/api/run-states/7/', {}, 'run_state_told', 'told'],
    ['POST', '/api/stf-files/', { stf_filename: 'a.stf', run: 1 }, 'stf_registered', 'told_stf'],
    ['POST', '/api/stf-files/', { run: 1 }, 'stf_registered', undefined],
    ['POST', '/api/fastmon-files/', { tf_filename: 'a_tf_001.tf' }, 'tf_registered', 'told_tf'],
    ['POST', '/api/tf-slices/', { tf_filename: 'a_tf_001.tf', slice_id: 0 }, 'slice_registered', 'told_slice'],
    ['POST', '/api/tf-slices/', { tf_filename: 'a_tf_001.tf', slice_id: -1 }, 'slice_registered', undefined],
    [
      'POST',
      '/api/system-state-events/',
      { event_type: 'slice_result', event_data: { message: 5 } },
      'system_event',
      'told',
    ],
    ['POST', '/api/workflow-stages/', {}, 'post workflow-stages', undefined],
  ])('is read by its method, path and body: %s %s %j', (method, path, body, type, kind) => {
    const line = createReferences()({ t: '2026-11-28T00:00:00Z', method, path, body, status: 201 });
    const statement = readStatement(line as MessageLine);
    expect({ type: statement.message_type, kind: statement.fact?.kind }).toEqual({ type, kind });
  });

  it.each([
    ['POST', '/api/logs/', 201],
    ['POST', '/api/systemagents/heartbeat/', 200],
    ['POST', '/api/state/next-run-number/', 200],
    ['GET', '/api/tf-slices/', 200],
    ['POST', '/api/tf-slices/', 400],
    ['POST', '/elsewhere/', 200],
  ])('creates no row if it is refused or not about a workflow: %s %s %i', (method, path, status) => {
    expect(createReferences()({ t: '2026-11-28T00:00:00Z', method, path, body: {}, status })).toBeUndefined();
  });

  it('is recognized with the prefix of any site', () => {
    const idsOf = (path: string): unknown =>
      createReferences()({ t: '2026-11-28T00:00:00Z', method: 'POST', path, body: { a: 1 }, status: 201 })?.destination;
    expect(idsOf('/swf-monitor/api/runs')).toBe(idsOf('/api/runs/'));
  });

  it.each([
    ['running after the end', ['completed', 'running'], { status: 'completed', end: 1 }],
    ['another end', ['failed', 'completed'], { status: 'completed', end: 1 }],
    ['the same end twice', ['terminated', 'terminated'], { status: 'terminated', end: 1 }],
    ['running before the end', ['running', 'failed'], { status: 'failed', end: 2 }],
  ])('keeps the first end time of an execution: %s', async (_, statuses, { status, end }) => {
    const minute = (n: number): string => new Date(Date.parse('2026-11-28T00:00:00Z') + n * 60_000).toISOString();
    const references = createReferences();
    const path = '/api/workflow-executions/';
    const began = { execution_id: 'e.1', status: 'running', start_time: minute(0), parameter_values: {} };
    const calls = [
      { t: minute(0), method: 'POST', path, body: began, status: 201 },
      ...statuses.map((one, n) => ({
        t: minute(n + 1),
        method: 'PATCH',
        path: `${path}e.1/`,
        body: { status: one },
        status: 200,
      })),
    ];
    const store = await storeOf(calls.flatMap((call) => references(call) ?? []));
    expect(createQueries(store.db, () => undefined).execution('e.1')).toMatchObject({ status, end_time: minute(end) });
    store.close();
  });

  it.each(Array.from({ length: rounds(40) }, (_, seed) => seed + 300))(
    'from a generated run leads to the true counts, in whatever order the calls arrive: run %i',
    async (seed) => {
      const { bus, rest, truth } = madeLines(seed);
      const store = await storeOf(interleaved(bus, rest, seed));
      await listenOn(store);
      const { row, facts, record } = factsOf(store, truth.told_id);
      expect({
        ...record,
        status: row.status,
        completed: row.slices_completed,
        sent: row.slices_created,
      }).toMatchObject({
        slices_told: truth.slices_told,
        slices_unsent: truth.slices_unsent,
        results_repeated: truth.results_repeated,
        results_unmatched: truth.results_unmatched,
        without_execution: truth.without_execution,
        // Nobody listens any more, and no end was told.
        status: truth.status === 'running' ? 'unknown' : truth.status,
        completed: truth.slices_completed,
        sent: truth.slices_sent,
      });
      expect(facts?.unsent.count).toBe(truth.slices_unsent);
      const tables = tablesOf(store.db);
      store.close();
      expect(await tablesAfter([...bus, ...rest], 7)).toEqual(tables);
      expect(await tablesAfter([...rest, ...rest, ...bus], 30)).toEqual(tables);
      expect(await tablesAfter(shuffled([...bus, ...rest], seed))).toEqual(tables);
    },
  );

  it('about one of several runs with the same name is assigned to the right run', async () => {
    const names = recordedRuns.slice(0, 2);
    const all = await Promise.all(
      names.map(async (run) => ({ bus: await readRecording(run), rest: await toldIn(run) })),
    );
    const store = await storeOf([...all.flatMap(({ bus }) => bus), ...all.flatMap(({ rest }) => rest)]);
    const first = factsOf(store, 'stf_datataking-shifter-0001');
    const second = factsOf(store, 'stf_datataking-shifter-0001~102101');
    expect(first.row).toMatchObject({ run_number: 102001, end_time: '2026-11-27T09:12:49.076Z' });
    expect(second.row).toMatchObject({ run_number: 102101, end_time: '2026-11-27T09:24:32.808Z' });
    store.close();
  });

  it('about a stop after the end does not change the end time', async () => {
    const rest = await toldIn('H-1');
    const patch = rest.find(({ destination }) =>
      destination.startsWith('PATCH /api/workflow-executions/'),
    ) as MessageLine;
    const stop = { ...patch, t: '2026-11-27T09:20:00.000Z', body: { status: 'terminated', end_time: null } };
    const store = await storeOf([...rest, stop]);
    const id = 'stf_datataking-shifter-0001';
    expect(factsOf(store, id).row).toMatchObject({
      status: 'terminated',
      end_time: '2026-11-27T09:12:49.076Z',
    });
    // It is an event, and ends the phases.
    const landmarks = createQueries(store.db, () => undefined).lastLandmarks(id, 9);
    expect(landmarks.map((row) => asEvent(row)).map(({ type, note }) => [type, note])).toEqual([
      ['execution_status', 'terminated'],
      ['execution_status', 'completed'],
    ]);
    expect(phasesOf(0, phaseChanges(store.sql, id, 9)).at(-1)).toMatchObject({
      phase: 'after',
      start: Date.parse('2026-11-27T09:12:49.076Z'),
    });
    store.close();
  });

  it('leads to findings if it is about slices that are never sent', async () => {
    const isLost = (line: MessageLine): boolean =>
      JSON.stringify(line).includes('000002_tf_00') &&
      !line.destination.endsWith('epictopic') &&
      !line.destination.includes('tf-slices');
    const all = [...(await readRecording('H-1')), ...(await toldIn('H-1'))];
    const store = await storeOf(all.filter((line) => !isLost(line)));
    await listenOn(store);
    const { findings } = factsOf(store, 'stf_datataking-shifter-0001');
    const sentence = (code: string) => findings.find((finding) => finding.code === code)?.sentence;
    expect(sentence('SLICES_NOT_SENT')).toMatch(/^\d+ /);
    expect(sentence('TOLD_OTHERWISE')).toMatch(/\b218 TF slices\b/);
    store.close();
  });

  it('leads to no findings about slices whose topic was not subscribed to', async () => {
    const bus = (await readRecording('H-1')).filter(({ destination }) => destination === '/topic/epictopic');
    const isOfSlice = ({ destination }: MessageLine): boolean => /^PATCH .*tf-slices|events/.test(destination);
    const store = await storeOf([...bus, ...(await toldIn('H-1')).filter((line) => !isOfSlice(line))]);
    await listenOn(store);
    const accusing = ['SLICES_NOT_SENT', 'TOLD_OTHERWISE'];
    const accusations = async (topics: string) => {
      await store.write((tx) => tx.sql('UPDATE hearings SET topics = ?').run(topics));
      const { findings } = factsOf(store, 'stf_datataking-shifter-0001');
      return accusing.filter((code) => findings.some((finding) => finding.code === code));
    };
    expect(await accusations('["/topic/epictopic","/topic/panda.slices"]')).toEqual(accusing);
    expect(await accusations('["/topic/epictopic"]')).toEqual([]);
    store.close();
  });

  it('is counted if it reports a result, even if the slice is registered later', async () => {
    const rest = await toldIn('F-1');
    const isSlice = ({ destination }: MessageLine): boolean => destination === 'POST /api/tf-slices/';
    const store = await storeOf([...rest.filter((line) => !isSlice(line)), ...rest.filter(isSlice)]);
    const { row, record } = factsOf(store, 'stf_datataking-shifter-0001');
    expect({ ...row, ...record }).toMatchObject({ slices_completed: 210, slices_unsent: 0, results_unmatched: 0 });
    store.close();
  });

  it('creates an execution whose run becomes known later', async () => {
    const rest = await toldIn('F-1');
    const [registration] = rest.filter(({ destination }) => destination === 'POST /api/workflow-executions/');
    const store = await storeOf([registration as MessageLine]);
    expect(factsOf(store, 'stf_datataking-shifter-0001').row).toMatchObject({ run_number: null, status: 'unknown' });
    await store.write((tx) => {
      for (const line of rest) recordHeard(tx, line);
    });
    expect(factsOf(store, 'stf_datataking-shifter-0001').row).toMatchObject({
      run_number: 103001,
      status: 'completed',
    });
    store.close();
  });
});

it('a REST call in a recording is read as a call, not as a message', () => {
  const text = JSON.stringify({ t: '2026-11-28T00:00:00Z', method: 'POST', path: '/api/runs/', body: {} });
  expect(parseLine(text)).toMatchObject({ kind: 'rest' });
});
