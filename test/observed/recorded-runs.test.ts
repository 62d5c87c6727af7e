import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { replayDifferences } from '../../src/db/maintenance/replay.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { readIntoStore } from '../../src/observer/read-into-store.ts';
import { type Answer, ask, askAll, connectInProcess, runCli, runWorkflow, temporaryFolder } from '../helpers.ts';
import { someRecordedRuns, readRecording } from '../observer/recordings.ts';
import { tablesOf } from './tables.ts';

type Name = 'H-1' | 'H-2' | 'F-1' | 'F-2';

const busOf = (name: Name): string => resolve('test/recordings', name, 'bus.jsonl.gz');

/** Reads recordings into a new store. Returns its path and the counts. */
async function readAll(paths: readonly string[], until?: string) {
  const path = join(temporaryFolder(), 'swf.db');
  const store = await openStore(path);
  const counts = await readIntoStore(paths, { store, namespaces: [], until, onTorn: () => {} });
  store.close();
  return { path, counts };
}

async function monitorOf(lines: readonly object[], until?: string): Promise<Answer> {
  const file = join(temporaryFolder(), 'made.jsonl');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const { path } = await readAll([file], until);
  const answer = await ask(await connectInProcess(path), 'get_workflow_monitor', { execution_id: 'latest' });
  return answer;
}

const codesOf = (monitor: Answer): string[] => monitor['findings'].map(({ code }: { code: string }) => code);

/** The sentence of a finding; undefined if it is not reported. */
const sentenceOf = (monitor: Answer, code: string): string | undefined =>
  monitor['findings'].find((finding: { code: string }) => finding.code === code)?.sentence;

const typeOf = (line: MessageLine): unknown => ('body' in line ? (line.body as Answer)['msg_type'] : undefined);

/** The contents of each recording, as its maker counted them. */
const truths: Record<Name, { counts: Answer; findings: string[] }> = {
  'H-1': {
    counts: {
      stf_count: 3,
      tf_files_received: 21,
      slices_sent: 218,
      slices_completed: 218,
      slices_failed: 0,
      without_execution: 51,
      dialect: 'H',
    },
    findings: ['CONTRACT_BROKEN', 'RESULTS_REPEATED'],
  },
  'H-2': {
    counts: {
      stf_count: 20,
      tf_files_received: 140,
      slices_sent: 211,
      slices_completed: 201,
      slices_failed: 10,
      without_execution: 75,
      dialect: 'H',
    },
    findings: ['SLICES_FAILED', 'CONTRACT_BROKEN', 'SIZE_CHANGED', 'RESULTS_REPEATED'],
  },
  'F-1': {
    counts: {
      stf_count: 3,
      tf_files_received: 21,
      slices_sent: 210,
      slices_completed: 210,
      slices_failed: 0,
      without_execution: 140,
      dialect: 'F',
    },
    findings: ['CONTRACT_BROKEN', 'RESULTS_REPEATED'],
  },
  'F-2': {
    counts: {
      stf_count: 6,
      tf_files_received: 42,
      slices_sent: 168,
      slices_completed: 154,
      slices_failed: 14,
      without_execution: 88,
      dialect: 'F',
    },
    findings: ['SLICES_FAILED', 'CONTRACT_BROKEN', 'RESULTS_REPEATED'],
  },
};

const names = Object.keys(truths) as Name[];

describe('a recorded run', () => {
  it.each(names)('%s has its true counts, and exactly the expected findings', async (name) => {
    const { path, counts } = await readAll([busOf(name)]);
    expect(counts).toMatchObject({
      rejected: 0,
      kept: 0,
      rest: 0,
      gaps: 0,
      executions: ['stf_datataking-shifter-0001'],
    });
    const monitor = await ask(await connectInProcess(path), 'get_workflow_monitor', { execution_id: 'latest' });
    const { counts: truth, findings } = truths[name];
    expect(monitor).toMatchObject({
      ...truth,
      origin: 'observed',
      status: 'completed',
      health: 'finished',
      results_repeated: 2,
      results_unmatched: 0,
      slices_unanswered: 0,
    });
    expect(codesOf(monitor)).toEqual(findings);
    expect(sentenceOf(monitor, 'CONTRACT_BROKEN')).toContain(
      `${truth['without_execution']} of ${truth['slices_sent']} slice messages`,
    );
    for (const absent of ['progress', 'capacity', 'drivers', 'slices_queued', 'slices_processing', 'configuration'])
      expect(monitor).not.toHaveProperty(absent);
  });

  it('has the same tables when they are rebuilt from its log', async () => {
    const { path } = await readAll(names.map(busOf));
    const store = await openStore(path);
    const empty = await openStore(join(temporaryFolder(), 'empty.db'));
    expect(await replayDifferences(store.sql, empty)).toEqual({ sentences: [], count: 0 });
    expect(tablesOf(empty.db)).toEqual(tablesOf(store.db));
    store.close();
    empty.close();
  });

  it('is pruned by age or number with all its rows, and our own runs stay', async () => {
    const folder = temporaryFolder();
    await runCli(['observe', '--from', ...names.map(busOf)], { folder });
    await runWorkflow(folder, '--stf-count', '1');
    const prune = async (...words: string[]) => (await runCli(['prune', ...words], { folder })).stdout;
    expect(await prune('--observed', '--older-than', '1000d')).toContain('0 executions removed');
    expect(await prune('--observed', '--keep', '1')).toContain('3 executions removed');
    expect(await prune('--observed', '--keep', '0')).toContain('1 execution removed');
    const store = await openStore(join(folder, 'swf.db'));
    const { executions, messages, ...rest } = tablesOf(store.db);
    expect(executions).toHaveLength(1);
    expect(messages.filter((row) => row.includes('heard/'))).toEqual([]);
    for (const table of ['observed', 'sizes', 'keys', 'subjects'] as const) expect(rest[table]).toEqual([]);
    store.close();
  });

  it('shows the bus contract, and its differences from that of another run', async () => {
    const folder = temporaryFolder();
    await runCli(['observe', '--from', busOf('F-1'), busOf('H-2')], { folder });
    const words = ['observe', '--contract', '--against', 'stf_datataking-shifter-0001'];
    const { stdout } = await runCli([...words, '--json'], { folder });
    const contract = JSON.parse(stdout) as Answer;
    expect(contract['types'].find(({ message_type }: Answer) => message_type === 'slice')).toMatchObject({
      destination: '/topic/panda.slices',
      messages: 211,
      keys: { 'content.execution_id': 136, 'content.req_id': 211 },
    });
    expect(contract['types'].map(({ message_type }: Answer) => message_type)[0]).toBe('run_imminent');
    expect(contract['broken']).toMatchObject([{ missing: 75, of: 211, key: 'content.execution_id' }]);
    expect(contract['differences']).toContain(
      'slice from a fast processing agent on /topic/panda.slices no longer has content.tf_slice_id',
    );
    expect((await runCli(words, { folder })).stdout).toContain('broken: 75 of 211 slice messages');
  });

  it('can be watched to its end and reported like one of our own runs', async () => {
    const folder = temporaryFolder();
    await runCli(['observe', '--from', busOf('H-2')], { folder });
    const watched = await runCli(['status', 'latest', '--watch'], { folder });
    expect(watched).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('211 sent, 0 without a result') as string,
    });
    const { stdout } = await runCli(['report', 'latest'], { folder });
    expect(stdout).toContain('- TF slices: 211 sent, 0 without a result, 201 completed, 10 failed');
  });

  it('changes nothing when read again, and is kept apart from runs of the same name', async () => {
    const folder = temporaryFolder();
    const read = ['observe', '--from', ...names.map(busOf), '--json'];
    const first = await runCli(read, { folder });
    const store = await openStore(join(folder, 'swf.db'));
    const before = tablesOf(store.db);
    const second = await runCli(read, { folder });
    expect(JSON.parse(second.stdout)).toEqual(JSON.parse(first.stdout));
    expect(tablesOf(store.db)).toEqual(before);
    expect(JSON.parse(first.stdout)).toEqual({
      messages: 1962,
      rest: 0,
      kept: 0,
      rejected: 0,
      gaps: 0,
      executions: [
        'stf_datataking-shifter-0001',
        'stf_datataking-shifter-0001~103101',
        'stf_datataking-shifter-0001~102001',
        'stf_datataking-shifter-0001~102101',
      ],
    });
    store.close();
  });
});

it('messages of unknown type are counted apart from rejected ones', async () => {
  const file = join(temporaryFolder(), 'made.jsonl');
  const said = (msg_type: string, execution_id: string) => ({
    t: '2026-11-27T09:00:00.000Z',
    destination: '/topic/epictopic',
    headers: {},
    body: { msg_type, execution_id, run_id: '7', namespace: 'shift', sender: 'a' },
  });
  const lines = [said('run_imminent', 'e-1'), said('run_imminent', 'e-\u202E'), said('news', 'e-1')];
  writeFileSync(file, ['no JSON', ...lines.map((line) => JSON.stringify(line)), ''].join('\n'));
  expect((await readAll([file])).counts).toMatchObject({ messages: 3, kept: 1, rejected: 2, executions: ['e-1'] });
});

describe('in an altered recording,', () => {
  let h1: MessageLine[];
  let h2: MessageLine[];
  beforeAll(async () => {
    h1 = await readRecording('H-1');
    h2 = await readRecording('H-2');
  });
  const results = (lines: readonly MessageLine[]): MessageLine[] =>
    lines.filter((line) => typeOf(line) === 'slice_result');
  const minutesAfter = (lines: readonly MessageLine[], minutes: number): string =>
    new Date(Date.parse(lines.at(-1)?.t ?? '') + 60_000 * minutes).toISOString();

  it('a lost result leaves a slice unanswered', async () => {
    const once = results(h1).find(
      (line) => results(h1).filter((other) => requestOf(other) === requestOf(line)).length === 1,
    );
    const monitor = await monitorOf(
      h1.filter((line) => line !== once),
      minutesAfter(h1, 3),
    );
    expect(monitor).toMatchObject({ slices_unanswered: 1, status: 'completed', health: 'finished' });
    expect(codesOf(monitor)).toContain('SLICES_UNANSWERED');
  });

  it('the loss of all results is reported as a missing transformer once the ramp-up has ended', async () => {
    const silent = h1.filter((line) => typeOf(line) !== 'slice_result' && typeOf(line) !== 'heartbeat');
    expect(codesOf(await monitorOf(silent, minutesAfter(h1, 4)))).not.toContain('NO_TRANSFORMER');
    const monitor = await monitorOf(silent, minutesAfter(h1, 7));
    expect(monitor).toMatchObject({ slices_unanswered: 218, status: 'completed' });
    expect(codesOf(monitor)).toEqual(expect.arrayContaining(['NO_TRANSFORMER', 'SLICES_UNANSWERED']));
  });

  it('TF files remain without slices after the fast processing agent was killed', async () => {
    const killed = h1[Math.floor(h1.length / 3)]?.t ?? '';
    const lines = h1.filter((line) => typeOf(line) !== 'slice' || line.t < killed);
    const monitor = await monitorOf(lines, minutesAfter(h1, 3));
    expect(codesOf(monitor)).toContain('SAMPLES_UNSLICED');
  });

  it('a killed data agent leaves STF files that are not ready', async () => {
    const first = h2.findIndex((line) => typeOf(line) === 'stf_ready');
    const lines = h2.filter((line, at) => typeOf(line) !== 'stf_ready' || at <= first);
    const monitor = await monitorOf(lines, minutesAfter(h2, 3));
    expect(sentenceOf(monitor, 'STF_NOT_READY')).toMatch(/^19 /);
  });

  it('a run that falls silent becomes unknown, without the finding RUN_SILENT', async () => {
    const lines = h2.slice(0, Math.floor(h2.length / 2));
    const monitor = await monitorOf(lines, minutesAfter(lines, 3));
    expect(codesOf(monitor)).not.toContain('RUN_SILENT');
    const status_reason = `not heard since ${minutesAfter(lines, 3)}`;
    expect(monitor).toMatchObject({ status: 'unknown', status_reason });
    expect(monitor).not.toHaveProperty('health');
  });

  it('a gap is reported and shown in the timeline, and leaves the audit open', async () => {
    const [from, until] = [h1[200]?.t ?? '', h1[300]?.t ?? ''];
    const gap = { gap: { from, until, reason: 'the connection to the broker was lost' } };
    const monitor = await monitorOf([...h1.slice(0, 201), gap, ...h1.slice(300)]);
    expect(monitor['not_heard']).toEqual([{ from, until, reason: 'the connection to the broker was lost' }]);
    expect(codesOf(monitor)).toContain('NOT_HEARD');
    expect((await timelineOf([...h1.slice(0, 201), gap, ...h1.slice(300)]))['phases']).toContainEqual({
      phase: 'unheard',
      start: from,
      end: until,
    });
    expect(await auditOf([...h1.slice(0, 201), gap, ...h1.slice(300)])).toMatchObject({ verdict: 'open' });
  });

  it('a result that fits no slice is reported, and one without a run is ignored', async () => {
    const [one] = results(h1).map((line) => structuredClone(line) as MessageLine & { body: Answer });
    const forged = structuredClone(one) as MessageLine & { body: Answer };
    forged.body['content'].result.result.req_id = 'forged';
    const runless = structuredClone(one) as MessageLine & { body: Answer };
    Object.assign(runless.body, {
      run_id: null,
      content: { requested_at: null, state: 'failed', result: { state: false, result: null, error: null } },
    });
    delete runless.headers['run_id'];
    const monitor = await monitorOf([...h1, forged, runless]);
    expect(monitor).toMatchObject({ results_unmatched: 1, slices_completed: 218 });
    expect(codesOf(monitor)).toContain('RESULTS_UNMATCHED');
  });

  it('two runs with the same name are kept apart and reported', async () => {
    const { path } = await readAll([busOf('F-1'), busOf('F-2')]);
    const monitor = await ask(await connectInProcess(path), 'get_workflow_monitor', { execution_id: 'latest' });
    expect(monitor['execution_id']).toBe('stf_datataking-shifter-0001~103101');
    expect(codesOf(monitor)).toContain('ID_TWICE');
  });

  it('the audit is balanced if every slice is answered, and open otherwise', async () => {
    expect(await auditOf(h2)).toMatchObject({ verdict: 'balanced' });
    expect(await auditOf(h2.filter((line) => typeOf(line) !== 'slice_result'))).toMatchObject({ verdict: 'open' });
  });

  const timelineOf = (lines: readonly object[]): Promise<Answer> => answerOf('get_execution_timeline', lines);

  const auditOf = (lines: readonly object[]): Promise<Answer> => answerOf('audit_execution', lines);

  async function answerOf(tool: string, lines: readonly object[]): Promise<Answer> {
    const file = join(temporaryFolder(), 'made.jsonl');
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const { path } = await readAll([file]);
    return ask(await connectInProcess(path), tool, { execution_id: 'latest' });
  }
});

const requestOf = (line: MessageLine): unknown => (line as MessageLine & { body: Answer }).body['content'].requested_at;

describe('the timeline of a run whose runner sent end_run before the last results', () => {
  it.each(someRecordedRuns)('includes every result: %s', async (name) => {
    const { path } = await readAll([busOf(name), busOf(name).replace('bus.', 'rest.')]);
    const client = await connectInProcess(path);
    const { series } = await ask(client, 'get_execution_timeline', { execution_id: 'latest' });
    const { slices_completed, slices_failed } = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    const sum = (values: number[]): number => values.reduce((all, n) => all + n, 0);
    expect([sum(series.completed), sum(series.exhausted)]).toEqual([slices_completed, slices_failed]);
  });
});

describe('every tool', () => {
  it.each(someRecordedRuns)('answers questions about run %s', async (name) => {
    const { path } = await readAll([busOf(name)]);
    const client = await connectInProcess(path);
    const { slices_sent, slices_failed } = truths[name].counts;
    const of = { execution_id: 'latest' };
    const slices = await askAll(client, 'list_tf_slices', { ...of, limit: 100 });
    expect(slices).toHaveLength(slices_sent);
    expect(slices.filter(({ status }) => status === 'failed')).toHaveLength(slices_failed);
    const [slice] = slices;
    expect(await ask(client, 'trace_data_product', { filename: slice?.['slice_filename'] })).toMatchObject({
      kind: 'slice',
    });
    const byHost = await ask(client, 'summarize', { what: 'slices', group_by: 'host,status', ...of });
    expect(byHost['groups'].reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(slices_sent);
    expect(await ask(client, 'list_workflow_executions')).toMatchObject({ items: [{ origin: 'observed' }] });
    expect((await ask(client, 'list_stf_files', of))['items']).not.toEqual([]);
    expect((await ask(client, 'list_tf_files', of))['items']).not.toEqual([]);
    expect((await ask(client, 'get_execution_timeline', of))['workers']).not.toEqual([]);
    expect(
      await ask(client, 'compare_executions', { execution_id: 'latest', with_execution_id: 'latest' }),
    ).toBeDefined();
    expect(
      (await ask(client, 'shift_report', { start_time: '2026-11-27T09:00:00Z', end_time: '2026-11-27T10:00:00Z' }))[
        'text'
      ],
    ).toContain('stf_datataking-shifter-0001');
    expect(await ask(client, 'wait_for_execution', of)).toMatchObject({ status: 'completed' });
    expect((await ask(client, 'list_agents', { include_exited: true }))['items'].length).toBeGreaterThan(3);
    const results = await askAll(client, 'list_messages', { ...of, message_type: 'slice_result', limit: 200 });
    expect(results.filter((result) => 'repeats' in result || 'contradicts' in result)).toHaveLength(2);
    expect(
      (await ask(client, 'list_messages', { ...of, message_type: 'slice_result', limit: 3 }))['items'],
    ).toHaveLength(3);
  });
});
