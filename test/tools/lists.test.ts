import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createLogLineWriter } from '../../src/db/log/log-lines.ts';
import { sliceStatuses } from '../../src/domain/slice-states.ts';
import { codeOf } from '../codes.ts';
import {
  type Answer,
  ask,
  askAll,
  connectInProcess,
  makeRunningStore,
  refusal,
  runCli,
  runWorkflow,
  temporaryFolder,
} from '../helpers.ts';

const ids = (items: Answer[]): unknown[] => items.map((item) => item['message_id']);

describe('a list', () => {
  it.each(['newest', 'oldest'] as const)(
    'returns each row once in %s-first order, whatever the page size',
    async (order) => {
      const folder = temporaryFolder();
      await runWorkflow(folder, '--stf-count', '3');
      const client = await connectInProcess(`${folder}/swf.db`);
      const whole = ids(await askAll(client, 'list_messages', { order, limit: 200 }));
      expect(new Set(whole).size).toBe(151);
      for (const limit of [1, 7, 50, 150, 151, 152])
        expect(ids(await askAll(client, 'list_messages', { order, limit }))).toEqual(whole);
    },
  );

  it('keeps its counts exact while rows are added', async () => {
    const { path, say } = await makeRunningStore();
    const client = await connectInProcess(path);
    const countsOf = async (): Promise<unknown[]> => {
      const total = async (name: string, args: Answer): Promise<unknown> =>
        (await ask(client, name, args))['total_count'];
      const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
      return [
        monitor['message_count'],
        await total('list_messages', { execution_id: 'latest', limit: 1 }),
        await total('list_messages', { execution_id: 'latest', message_type: 'stf_gen', limit: 1 }),
        await total('list_messages', { execution_id: 'latest', search: 'stf_gen', limit: 1 }),
      ];
    };
    const add = (sequence: number) =>
      say('stf_gen', { filename: `swf.100010.${String(sequence).padStart(6, '0')}.stf`, sequence, tf_count: 10 });
    expect(await countsOf()).toEqual([3, 3, 0, 0]);
    await add(1);
    expect(await countsOf()).toEqual([4, 4, 1, 1]);
    await add(2);
    // A repeated message is no new row; a contradicting one is.
    await add(2);
    await say('stf_gen', { filename: 'swf.100010.000002.stf', sequence: 2, tf_count: 11 });
    expect(await countsOf()).toEqual([6, 6, 3, 3]);
  });

  it('returns only the requested fields, and refuses unknown ones', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const client = await connectInProcess(`${folder}/swf.db`);
    const only = async (tool: string, fields: string) => {
      const { items, note } = await ask(client, tool, { fields, limit: 1 });
      // Fields that are left out are not reported as damage.
      expect(note ?? '').not.toMatch(/cannot be shown/);
      return items[0];
    };
    expect(await only('list_stf_files', 'stf_filename, slice_count')).toEqual({
      stf_filename: expect.any(String),
      slice_count: 15,
    });
    expect(Object.keys(await only('list_tf_slices', 'slice_filename,seconds'))).toEqual(['slice_filename', 'seconds']);
    expect(Object.keys(await only('list_messages', 'message_id'))).toEqual(['message_id']);
    expect(Object.keys(await only('list_workflow_executions', 'health,bytes'))).toEqual(['health', 'bytes']);
    expect(codeOf(await refusal(client, 'list_stf_files', { fields: 'size' }))).toBe('ARGUMENT_INVALID');
  });

  it('of slices has as many rows as its total_count, for each status', async () => {
    const folder = temporaryFolder();
    const sets = ['worker.payload=["sh","-c","[ $SWF_SLICE_ID != 3 ]"]', 'worker.max_retries=1'];
    await runCli(['run', '--speed', 'max', '--stf-count', '2', ...sets.flatMap((set) => ['--set', set])], { folder });
    const client = await connectInProcess(`${folder}/swf.db`);
    for (const status of [undefined, ...sliceStatuses]) {
      for (const scope of [{ execution_id: 'latest' }, { run_number: 100_010 }]) {
        const args = { ...scope, ...(status === undefined ? {} : { status }) };
        const page = await ask(client, 'list_tf_slices', { ...args, limit: 1 });
        expect({ args, n: page['total_count'] }).toEqual({
          args,
          n: (await askAll(client, 'list_tf_slices', args)).length,
        });
      }
    }
  });

  it('repeats no row and skips none if rows are added between its pages', async () => {
    const { path, say } = await makeRunningStore();
    const client = await connectInProcess(path);
    const add = (sequence: number) =>
      say('stf_gen', { filename: `swf.100010.${String(sequence).padStart(6, '0')}.stf`, sequence, tf_count: 10 });
    for (let sequence = 1; sequence <= 20; sequence += 1) await add(sequence);
    const seen: number[] = [];
    let cursor: string | undefined;
    let next = 21;
    do {
      const page: Answer = await ask(client, 'list_stf_files', {
        limit: 3,
        ...(cursor === undefined ? {} : { cursor }),
      });
      seen.push(...page['items'].map((item: Answer) => item['sequence']));
      cursor = page['next_cursor'];
      await add(next++);
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => 20 - index));
  });

  it('never exceeds 25,000 characters per page, and still returns every row', async () => {
    const { path, store } = await makeRunningStore();
    const writeLog = createLogLineWriter('INFO');
    await store.write((tx) => {
      for (let line = 0; line < 60; line += 1) {
        writeLog(
          tx,
          { level: 'INFO', message: `${line} ${'"\n\u001b é'.repeat(800)}`, context: { text: 'x'.repeat(5000) } },
          { agent: 'a' },
        );
      }
    });
    const client = await connectInProcess(path);
    const rows: Answer[] = [];
    let cursor: string | undefined;
    do {
      const page: Answer = await ask(client, 'list_logs', { limit: 200, ...(cursor === undefined ? {} : { cursor }) });
      expect(JSON.stringify(page).length).toBeLessThanOrEqual(25_000);
      rows.push(...page['items']);
      cursor = page['next_cursor'];
      if (cursor !== undefined)
        expect(page['note']).toMatch(/^This page ends after \d+ rows, because an answer has at most/);
    } while (cursor !== undefined);
    expect(rows.map(({ message }) => Number.parseInt(message, 10))).toEqual(
      Array.from({ length: 60 }, (_, index) => 59 - index),
    );
  });

  it('keeps the time window of its first page, even a relative one', async () => {
    const { path, say } = await makeRunningStore();
    const client = await connectInProcess(path);
    const at = (secondsAgo: number): string => new Date(Date.now() - secondsAgo * 1000).toISOString();
    for (let sequence = 1; sequence <= 6; sequence += 1) {
      const filename = `swf.100010.00000${sequence}.stf`;
      // The first two are outside a window of ten minutes.
      await say('stf_gen', { filename, sequence, tf_count: 10, timestamp: at(sequence <= 2 ? 3600 : 60) });
    }
    const first = await ask(client, 'list_stf_files', { start_time: '-10m', limit: 2 });
    // By then, ten minutes ago is another time.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 570_000 });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const next = { start_time: '-10m', limit: 2, cursor: first['next_cursor'] };
    const second = await ask(client, 'list_stf_files', next);
    expect(second['items'].map(({ sequence }: Answer) => sequence)).toEqual([4, 3]);
    expect(second).toMatchObject({ total_count: 4, has_more: false });
    vi.useRealTimers();
    const files = await askAll(client, 'list_stf_files', { start_time: '-10m', limit: 1 });
    expect(files.map(({ sequence }) => sequence)).toEqual([6, 5, 4, 3]);
    expect(await askAll(client, 'list_stf_files', { end_time: '-10m' })).toHaveLength(2);
    expect(await askAll(client, 'list_stf_files', { start_time: at(5).slice(0, 19) })).toHaveLength(0);
  });

  it('of the latest execution stays with that execution after another has begun', async () => {
    const { path, say } = await makeRunningStore();
    for (let sequence = 1; sequence <= 5; sequence += 1)
      await say('stf_gen', { filename: `swf.100010.00000${sequence}.stf`, sequence, tf_count: 10 });
    const client = await connectInProcess(path);
    const args = { execution_id: 'latest', limit: 2 };
    const first = await ask(client, 'list_stf_files', args);
    await say('run_workflow', { command_id: 'c2', workflow_name: 'w', params: {}, executed_by: 'tester', speed: 1 });
    const second = await ask(client, 'list_stf_files', { ...args, cursor: first['next_cursor'] });
    expect(second).toMatchObject({ total_count: 5, has_more: true });
    expect(second['items'].map(({ sequence }: Answer) => sequence)).toEqual([3, 2]);
    expect(await ask(client, 'list_stf_files', args)).toMatchObject({ total_count: 0 });
  });

  it('shows when the store was last written, and has no default time window', async () => {
    const { path, say } = await makeRunningStore();
    await say('stf_gen', {
      filename: 'swf.100010.000001.stf',
      sequence: 1,
      tf_count: 10,
      timestamp: '2001-01-01T00:00:00Z',
    });
    const answer = await ask(await connectInProcess(path), 'list_stf_files');
    expect(answer['items']).toHaveLength(1);
    expect(answer['data_as_of'] > '2026').toBe(true);
  });
});

describe('list_messages', () => {
  it('shortens bodies and omits fields of the row, but returns a message in full by its id', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const client = await connectInProcess(`${folder}/swf.db`);
    const [imminent] = await askAll(client, 'list_messages', { message_type: 'run_imminent' });
    expect(imminent).toMatchObject({
      body: { state: 'beam', workflow_params: { fast_processing: { stf_count: 1 } } },
    });
    expect(Object.keys(imminent?.['body'] as Answer)).not.toContain('execution_id');
    expect(imminent).not.toHaveProperty('payload');
    expect(JSON.stringify(imminent?.['body']).length).toBeLessThanOrEqual(1000);
    const { items } = await ask(client, 'list_messages', { message_id: imminent?.['message_id'] });
    expect(items).toHaveLength(1);
    expect(items[0]).not.toHaveProperty('payload_truncated');
    expect(items[0]).not.toHaveProperty('body');
    const body = JSON.parse(items[0]['payload']) as Answer;
    expect(Object.keys(body['workflow_params'])).toEqual([
      'workflow',
      'fast_processing',
      'fastmon',
      'daq_state_machine',
      'speed',
    ]);
  });

  it('shows only the workflow settings of run_workflow, and no paths', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const client = await connectInProcess(`${folder}/swf.db`);
    const [start] = await askAll(client, 'list_messages', { message_type: 'run_workflow' });
    const { items } = await ask(client, 'list_messages', { message_id: start?.['message_id'] });
    const body = JSON.parse(items[0]['payload']) as Answer;
    expect(Object.keys(body['params'])).toEqual(['workflow', 'fast_processing', 'fastmon', 'daq_state_machine']);
    expect(items[0]['payload']).not.toContain(folder);
    expect(await askAll(client, 'list_messages', { search: folder, message_type: 'run_workflow' })).toEqual([]);
  });

  it('stays within its budget and splits no character, whatever a message contains', async () => {
    const { path, store, receive } = await makeRunningStore();
    const bodies = [
      JSON.stringify({ msg_type: 'x'.repeat(100_000) }),
      `{"msg_type": "${'\\u0000'.repeat(30_000)}"}`,
      '"'.repeat(60_000),
      JSON.stringify({ msg_type: 'start_run', text: '😀'.repeat(20_000) }),
      `{"msg_type":"pause_run","sender":"s","namespace":"test","execution_id":"stf_datataking-tester-0001","ordinal":1,"reason":"period","deep":${'['.repeat(99)}${']'.repeat(99)}}`,
    ];
    await store.write((tx) => bodies.forEach((body) => receive(tx, '/topic/epictopic', body)));
    const client = await connectInProcess(path);
    for (const { message_id } of await askAll(client, 'list_messages', { limit: 1 })) {
      const answer = await ask(client, 'list_messages', { message_id });
      expect(JSON.stringify(answer).length).toBeLessThanOrEqual(25_000);
      expect(JSON.stringify(answer)).not.toMatch(/\\\\ud[89a-f]/);
      const { payload } = answer['items'][0] as Answer;
      expect(Buffer.from(payload as string).toString()).toBe(payload);
    }
    expect(await ask(client, 'get_workflow_monitor', { execution_id: 'latest' })).toMatchObject({ phase: 'standby' });
  });

  it('shows the effect of each message, with the reason', async () => {
    const { path, say, store, receive } = await makeRunningStore();
    await say('resume_run', { ordinal: 9, reason: 'operator' });
    await store.write((tx) => receive(tx, '/topic/epictopic', '{broken'));
    const [broken, resume] = await askAll(await connectInProcess(path), 'list_messages');
    expect(broken).toMatchObject({
      message_type: 'unreadable',
      effect: 'rejected',
      effect_reason: expect.stringContaining('not JSON'),
      payload: '{broken',
    });
    expect(resume).toMatchObject({ effect: 'none', effect_reason: 'phase physics does not allow resume_run' });
  });
});

describe('list_logs', () => {
  it('returns the lines at or above a level, given as a name or a number', async () => {
    const { path, store } = await makeRunningStore();
    const writeLog = createLogLineWriter('DEBUG');
    await store.write((tx) => {
      for (const level of ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const)
        writeLog(tx, { level, message: level }, { agent: 'a' });
    });
    const client = await connectInProcess(path);
    const levels = async (level: unknown) =>
      (await askAll(client, 'list_logs', { level, order: 'oldest' })).map((row) => row['level']);
    expect(await levels('warning')).toEqual(['WARNING', 'ERROR', 'CRITICAL']);
    expect(await levels('WARN')).toEqual(['WARNING', 'ERROR', 'CRITICAL']);
    expect(await levels('fatal')).toEqual(['CRITICAL']);
    expect(await levels(40)).toEqual(['ERROR', 'CRITICAL']);
    expect(await levels('20')).toEqual(['INFO', 'WARNING', 'ERROR', 'CRITICAL']);
  });
});

describe('list_stf_files', () => {
  it('lists the files of an execution that is being removed, and of others', async () => {
    const { path, say, store } = await makeRunningStore();
    await say('stf_gen', { filename: 'swf.100010.000001.stf', sequence: 1, tf_count: 1 });
    const client = await connectInProcess(path);
    const files = async (): Promise<unknown> => (await ask(client, 'list_stf_files', { order: 'oldest' }))['items'];
    const before = await files();
    expect(before).toMatchObject([{ stf_filename: 'swf.100010.000001.stf', slice_count: 0 }]);
    // A removal deletes these rows first, and the rows of the files in later transactions.
    await store.write(({ sql }) => {
      for (const table of ['run_states', 'runs', 'workflow_executions']) sql(`DELETE FROM ${table}`).run();
    });
    expect(await files()).toEqual(before);
  });
});

describe('get_workflow_monitor', () => {
  it('stays within 8 KB when everything in it is long', async () => {
    const { path, say, store, receive } = await makeRunningStore();
    const writeLog = createLogLineWriter('INFO');
    for (let ordinal = 1; ordinal <= 30; ordinal += 1) await say('pause_run', { ordinal, reason: 'operator' });
    await store.write((tx) => {
      for (let line = 0; line < 30; line += 1) {
        writeLog(
          tx,
          { level: 'ERROR', message: `${String.fromCodePoint(97 + (line % 15))} ${line} ${'long '.repeat(500)}` },
          { agent: 'a'.repeat(100), execution_id: 'stf_datataking-tester-0001' },
        );
        receive(
          tx,
          '/topic/epictopic',
          JSON.stringify({
            msg_type: 'start_run',
            execution_id: 'stf_datataking-tester-0001',
            junk: `${line}${'é'.repeat(400)}`,
          }),
        );
      }
    });
    const monitor = await ask(await connectInProcess(path), 'get_workflow_monitor', { execution_id: 'latest' });
    expect(Buffer.byteLength(JSON.stringify(monitor))).toBeLessThanOrEqual(8192);
    expect(monitor['errors'].length).toBeGreaterThan(3);
  });

  it('shows the newest of several errors that differ only in their numbers, and counts the others', async () => {
    const { path, store } = await makeRunningStore();
    const writeLog = createLogLineWriter('INFO');
    const messages = ['slice 1 failed', 'disk full', 'slice 2 failed', 'slice 3 failed'];
    await store.write((tx) => {
      for (const message of messages)
        writeLog(tx, { level: 'ERROR', message }, { agent: 'a', execution_id: 'stf_datataking-tester-0001' });
    });
    const { errors } = await ask(await connectInProcess(path), 'get_workflow_monitor', { execution_id: 'latest' });
    expect(errors).toHaveLength(2);
    expect(errors).toContainEqual(expect.objectContaining({ error: 'slice 3 failed', more: 2 }));
    expect(errors.find(({ error }: Answer) => error === 'disk full')).not.toHaveProperty('more');
  });

  it('shows the phase and health of a run in physics, in standby and while it drains', async () => {
    const { path, say } = await makeRunningStore();
    const client = await connectInProcess(path);
    const now = async () => {
      const { phase, health } = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
      return `${phase} ${health}`;
    };
    expect(await now()).toBe('physics progressing');
    await say('pause_run', { ordinal: 1, reason: 'period' });
    expect(await now()).toBe('standby paused');
    await say('resume_run', { ordinal: 2, reason: 'period' });
    await say('end_run', { total_stf_files: 0, reason: 'completed' });
    expect(await now()).toBe('completed draining');
  });
});
