import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { faultyPayload } from '../../faults/payload.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { readIntoStore } from '../../src/observer/read-into-store.ts';
import { codeOf } from '../codes.ts';
import {
  type Answer,
  ask,
  connectInProcess,
  makeRunningStore,
  refusal,
  runCli,
  runWorkflow,
  sayShortExecutions,
  startCli,
  temporaryFolder,
} from '../helpers.ts';
import { clientOf, secondsAgo } from './asking.ts';

describe('the shift report', () => {
  it('covers all executions even if the record of one cannot be used, and says why', async () => {
    const folder = temporaryFolder();
    for (const _ of [1, 2]) await runWorkflow(folder, '--stf-count', '1');
    const store = await openStore(join(folder, 'swf.db'));
    store.db.exec(`UPDATE workflow_executions SET params = '{"worker":7}' WHERE seq = 1`);
    store.close();
    const { executions, open } = await ask(await clientOf(folder), 'shift_report', { start_time: '-1h' });
    expect(executions).toHaveLength(2);
    expect(open).toContainEqual(expect.stringMatching(/^stf_datataking-tester-0001 (CONFIG_INVALID|STORE_CORRUPT): /));
  });

  it('lists what ran, what failed and why, who did what, and what is still open', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    await runCli(['run', '--speed', 'max', '--stf-count', '3', ...faultyPayload(3)], { folder });
    const run = startCli(['run', '--speed', '10', '--stf-count', '200'], { folder, env: { SWF_USER: 'alice' } });
    await run.saw(/start_run/);
    await runCli(['pause', 'latest', '--reason', 'beam | studies', '--requested-by', 'bob'], { folder });
    const client = await clientOf(folder);
    // Slices in hand end during a pause.
    const monitor = () => ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    await expect.poll(monitor).toMatchObject({ slices_processing: 0 });
    const report = await ask(client, 'shift_report', { start_time: '-1h' });
    expect(report).toMatchObject({
      totals: { executions: 3, running: 1, completed: 2, failed: 0, terminated: 0 },
      executions: [
        { status: 'running', health: 'paused' },
        { status: 'completed', slices_created: 45 },
        { status: 'completed', slices_completed: 30, slices_stay_failed: 0 },
      ],
      executions_omitted: 0,
    });
    const ended = await ask(client, 'summarize', { what: 'slices', group_by: 'status', time_field: 'completed' });
    const completed = ended['groups'].find((group: Record<string, unknown>) => group['status'] === 'completed');
    expect(report['totals'].slices_completed).toBe(completed.count);
    const causes = await ask(client, 'summarize', { what: 'slices', group_by: 'cause' });
    expect(report['totals'].attempts_failed).toBe(causes['total'].count);
    expect(report['people']).toMatchObject([
      { name: 'tester', did: 'started' },
      { name: 'tester', did: 'started' },
      { name: 'alice', did: 'started' },
      { name: 'bob', did: 'paused', reason: 'beam | studies' },
    ]);
    const text = report['text'] as string;
    const one = async (form: string): Promise<string[]> =>
      Object.keys(await ask(client, 'shift_report', { start_time: '-1h', form }));
    expect(await one('text')).toEqual(['start_time', 'end_time', 'text', 'data_as_of', 'as_of_exact']);
    expect(await one('fields')).toEqual(Object.keys(report).filter((name) => name !== 'text'));
    expect(text).toMatch(
      /^# Shift report, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC to .* UTC\n3 executions: 1 running, 2 completed\./,
    );
    expect(text).toMatch(/^- \d+ attempts?: /m);
    const [running] = report['executions'] as Record<string, number>[];
    const notDone = (running?.['slices_created'] ?? 0) - (running?.['slices_completed'] ?? 0);
    expect(report['totals']).toMatchObject({ slices_stay_failed: 0, slices_not_done: notDone });
    expect(text).toMatch(
      new RegExp(
        String.raw`attempts? failed\. At its end, 0 slices had failed permanently and ${notDone} were unfinished\.$`,
        'm',
      ),
    );
    // Text from others adds no table cell and no markup.
    expect(text).toContain(String.raw`bob (as tester claims) paused stf_datataking-alice-0003 (beam \| studies)`);
    expect(text).toMatch(/^- stf_datataking-alice-0003 is running, health paused: /m);
    expect(JSON.stringify(report).length).toBeLessThan(12_000);

    // It is the same at a terminal and as a resource, and the same whenever it is asked about the same past,
    // even if a run that outlasted that time has ended since.
    const past = { start_time: report['start_time'], end_time: secondsAgo(0.001) };
    const once = await ask(client, 'shift_report', past);
    expect(once['as_of']).toBe(past.end_time);
    expect(await ask(client, 'shift_report', { ...past, as_of: once['as_of_exact'] })).toEqual(once);
    // As of a later moment, a run that was still in progress is shown by its counts.
    expect(await ask(client, 'shift_report', { ...past, as_of: secondsAgo(0) })).toMatchObject({
      note: expect.stringMatching(
        /^executions still running at the end of this period are reported with their counts at that time, but without health/,
      ),
      executions: [{ status: 'running', slices_created: once['executions'][0].slices_created }, {}, {}],
      open: [
        expect.anything(),
        expect.stringMatching(
          / was running at the end of this period, health unknown: \d+ of \d+ slices made so far are done/,
        ),
      ],
    });
    expect(once).toMatchObject({
      totals: { ...report['totals'], running: 1 },
      executions: [
        { status: 'running', health: 'paused', slices_created: report['executions'][0].slices_created },
        {},
        {},
      ],
      open: [
        'no quality is set for stf_datataking-tester-0002, stf_datataking-tester-0001',
        expect.stringMatching(
          /^stf_datataking-alice-0003 is running, health paused: \d+ of \d+ slices made so far are done/,
        ),
      ],
    });
    run.child.kill('SIGINT');
    await run.finished;
    expect(await ask(client, 'shift_report', past)).toEqual(once);
    const { stdout } = await runCli(['report', '--since', past.start_time, '--until', past.end_time], { folder });
    expect(stdout).toBe(`${once['text']}\n`);
    const resource = await client.readResource({ uri: 'swf://shift/-1h' });
    expect((resource.contents[0] as { text: string }).text).toMatch(/^# Shift report/);
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual([
      'ui://swf/monitor',
      'swf://executions/stf_datataking-alice-0003/report',
      'swf://executions/stf_datataking-tester-0002/report',
      'swf://executions/stf_datataking-tester-0001/report',
      'swf://shift/-8h',
    ]);
  });

  it('includes an execution that began earlier, reports an empty period, and refuses an invalid period', async () => {
    const made = await makeRunningStore();
    made.store.db.exec(`UPDATE workflow_executions SET start_time = '${secondsAgo(7200)}'`);
    const client = await connectInProcess(made.path);
    expect((await ask(client, 'shift_report', { start_time: '-1h' }))['totals'].executions).toBe(1);
    expect(await ask(client, 'shift_report', { start_time: '-9h', end_time: '-8h' })).toMatchObject({
      totals: { executions: 0 },
      note: 'no execution was active in this period',
    });
    expect((await ask(client, 'shift_report', { namespace: 'tets' }))['note']).toMatch(/the nearest are test/);
    expect(codeOf(await refusal(client, 'shift_report', { start_time: 'yesterday' }))).toBe('ARGUMENT_INVALID');
    await expect(client.getPrompt({ name: 'shift_handover', arguments: { since: 'yesterday' } })).rejects.toThrow(
      /since = "yesterday"/,
    );
    const { messages } = await client.getPrompt({ name: 'shift_handover' });
    expect(JSON.stringify(messages)).toContain('call shift_report with start_time');
  });

  it('names observed runs whose messages from its period were recorded later', async () => {
    const path = join(temporaryFolder(), 'swf.db');
    const store = await openStore(path);
    onTestFinished(() => store.close());
    const recording = 'test/recordings/F-2/bus.jsonl.gz';
    await readIntoStore([recording], { store, namespaces: [], until: undefined, onTorn: () => {} });
    const past = { start_time: '2026-11-27T09:00:00Z', end_time: '2026-11-27T09:09:55Z', form: 'fields' };
    const noteOf = async (): Promise<unknown> =>
      (await ask(await connectInProcess(path), 'shift_report', past))['note'];
    expect(await noteOf()).toBeUndefined();
    const end = Date.parse(past.end_time);
    const setLast = (sent: number, recorded: number): void => {
      store.db.exec(
        `UPDATE message_rows SET sent_ms = ${end + sent}, recorded_ms = ${end + recorded} ORDER BY seq DESC LIMIT 1`,
      );
    };
    // Around the end itself a message may still be on its way.
    setLast(-2000, 2000);
    expect(await noteOf()).toBeUndefined();
    setLast(10_000, 90_000);
    expect(await noteOf()).toBeUndefined();
    setLast(-60_000, 90_000);
    expect(await noteOf()).toMatch(
      /^messages sent in this period but recorded later are missing for stf_\S+; get_workflow_monitor has them$/,
    );
  });

  it.each([
    ['before', ['started', 'stopped']],
    ['after', ['started', 'resumed', 'stopped']],
  ])('lists the start of a driver as a resumption unless a stop came first: the stop came %s it', async (when, did) => {
    const made = await makeRunningStore();
    const resume = () =>
      made.say('driver_started', { user: 'rita', version: '0', speed: 1, hostname: 'here', epoch: 2, pid: 2 });
    if (when === 'after') await resume();
    await made.say('stop_workflow', { command_id: 's', sender: 'rita' });
    if (when === 'before') await resume();
    made.store.db.exec(
      `UPDATE message_rows SET effect = 'applied', effect_code = NULL WHERE effect_code = 'WAITS_FOR_DRIVER'`,
    );
    const report = await ask(await connectInProcess(made.path), 'shift_report', {
      start_time: '-1h',
      form: 'fields',
    });
    expect((report['people'] as Answer[]).map((one) => one['did'])).toEqual(did);
  });

  it('includes a running execution after sixty later ones have ended, and counts what it leaves out', async () => {
    const made = await makeRunningStore();
    const driver = { user: 'rita', version: '0', speed: 1 as const, hostname: 'here' };
    await made.say('driver_started', { ...driver, epoch: 1, pid: 1 });
    await made.say('driver_started', { ...driver, epoch: 2, pid: 2, reason: 'magnet quench' });
    await sayShortExecutions(made, 60);
    const report = await ask(await connectInProcess(made.path), 'shift_report', { start_time: '-1h' });
    expect(report['totals']).toMatchObject({ executions: 61, running: 1, completed: 60 });
    // The action that is no start is listed, and the newest starts.
    const people = report['people'] as Answer[];
    expect(people.map(({ did }) => did)).toEqual(['resumed', ...Array.from({ length: 9 }, () => 'started')]);
    expect(people[0]).toMatchObject({ reason: 'magnet quench', execution_id: 'stf_datataking-tester-0001' });
    expect(people.at(-1)).toMatchObject({ execution_id: 'stf_datataking-tester-0061' });
    expect(report).toMatchObject({ people_omitted: 42, executions_omitted: 49 });
    expect(report['text']).toMatch(/^- .* resumed stf_datataking-tester-0001 \(magnet quench\)$/m);
    expect(report['open']).toEqual([
      '10 more executions were not examined; ask for a shorter period or one namespace',
      expect.stringMatching(/^no quality is set for stf_datataking-tester-0061, .* and 44 more$/),
      expect.stringMatching(/^stf_datataking-tester-0001 is running, health /),
    ]);
  });
});
