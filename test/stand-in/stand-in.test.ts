import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Store } from '../../src/db/opening/store.ts';
import { createQueries } from '../../src/db/queries.ts';
import { calls } from '../../src/stand-in/calls.ts';
import { resources } from '../../src/stand-in/resources.ts';
import { standIn, type StandIn } from './stand-in-process.ts';

const rowsOf = (store: Store, effect: string): any[] =>
  store.db
    .prepare('SELECT message_type, run_id, effect_reason FROM workflow_messages WHERE effect = ? ORDER BY seq')
    .all(effect);

describe('the stand-in for swf-monitor', () => {
  let here: StandIn;
  beforeAll(async () => {
    here = await standIn();
  });
  afterAll(() => here.close());

  it.each(['', '/swf-monitor'])('answers below the prefix "%s", with and without a final slash', async (prefix) => {
    expect((await here.ask('POST', `${prefix}/api/state/next-agent-id/`)).body).toEqual({
      status: 'success',
      agent_id: expect.any(Number),
    });
    expect((await here.ask('POST', `${prefix}/api/state/next-agent-id`)).status).toBe(200);
  });

  it('assigns unused numbers to runs, and continues the numbering of known executions', async () => {
    const draw = async (what: string, body = {}) => (await here.ask('POST', `/api/state/${what}/`, body)).body;
    const [first, second] = [await draw('next-run-number'), await draw('next-run-number')];
    expect(second.run_number).toBe(first.run_number + 1);
    const name = 'stf_datataking-user-0007';
    await here.ask('POST', '/api/workflow-executions/', { execution_id: name, namespace: 'e', start_time: 's' });
    expect((await draw('next-workflow-execution-id', { workflow_name: 'stf_datataking' })).sequence).toBe(8);
    expect((await draw('next-workflow-execution-id', { workflow_name: 'another' })).sequence).toBe(1);
  });

  it.each([
    ['/api/stf-files/', { run: 5 }, { stf_filename: ['This field is required.'] }],
    ['/api/stf-files/', { run: 'x', stf_filename: 'a.stf' }, { run: [expect.any(String)] }],
    ['/api/tf-slices/', { slice_id: -1, tf_filename: 'a', run_number: '5' }, { slice_id: [expect.any(String)] }],
    [
      '/api/fastmon-files/',
      [],
      {
        stf_file: [expect.any(String)],
        tf_filename: [expect.any(String)],
        tf_first: [expect.any(String)],
        tf_last: [expect.any(String)],
      },
    ],
    ['/api/workflow-executions/', {}, { execution_id: ['This field is required.'] }],
    ['/api/state/next-workflow-execution-id/', {}, { workflow_name: ['This field is required.'] }],
    ['/api/namespaces/ensure/', {}, { name: ['This field is required.'] }],
    ['/api/logs/', { message: 'x' }, { instance_name: ['This field is required.'] }],
  ])('refuses an invalid request to %s, and names the fields: %j', async (path, body, words) => {
    expect(await here.ask('POST', path, body)).toEqual({ status: 400, body: words });
  });

  it('records a refused request once, without effect', async () => {
    const before = rowsOf(here.store, 'rejected').length;
    for (const _ of [1, 2])
      await here.ask('POST', '/api/tf-slices/', { slice_id: 'three', tf_filename: 'odd', run_number: 9 });
    const rows = rowsOf(here.store, 'rejected').slice(before);
    expect(rows).toEqual([
      { message_type: 'slice_registered', run_id: '9', effect_reason: expect.stringMatching(/^slice_id: /) },
    ]);
  });

  it('answers a repeated request as before, and refuses a different one with the same name', async () => {
    const file = { run: 77, stf_filename: 'again.stf', status: 'registered', metadata: { sequence: 1 } };
    const first = await here.ask('POST', '/api/stf-files/', file);
    expect(first).toMatchObject({ status: 201, body: { ...file, file_id: expect.stringMatching(/^[0-9a-f-]{36}$/) } });
    expect(await here.ask('POST', '/api/stf-files/', file)).toEqual(first);
    expect(await here.ask('POST', '/api/stf-files/', { ...file, status: 'odd' })).toMatchObject({
      status: 400,
      body: { stf_filename: [expect.stringContaining('again.stf')] },
    });
    const run = { run_number: 78, start_time: 's' };
    expect(await here.ask('POST', '/api/runs/', { ...run, start_time: 'later' })).toMatchObject({
      status: 201,
      body: { run_id: 78 },
    });
    // A second statement about a known run is accepted, since an error would end a data agent.
    expect(await here.ask('POST', '/api/runs/', run)).toMatchObject({
      status: 201,
      body: { run_id: 78, start_time: 'later' },
    });
  });

  it('answers for unknown runs and executions as if they existed, since programs expect that', async () => {
    expect(await here.ask('GET', '/api/run-states/4711/')).toMatchObject({
      status: 200,
      body: { run_number: 4711, slices_created: 0 },
    });
    expect(await here.ask('PATCH', '/api/run-states/4711/', { slices_created: 5 })).toMatchObject({
      status: 200,
      body: { slices_created: 5 },
    });
    expect(await here.ask('GET', '/api/workflow-executions/never.heard-of/')).toMatchObject({
      status: 200,
      body: { execution_id: 'never.heard-of', parameter_values: {} },
    });
    expect(await here.ask('PATCH', '/api/stf-files/0000/', { status: 'processed' })).toMatchObject({ status: 400 });
  });

  it('keeps the end time of an execution once it has been reported', async () => {
    const id = 'stf_datataking-user-0042';
    await here.ask('POST', '/api/workflow-executions/', { execution_id: id, namespace: 'e', start_time: 's' });
    await here.ask('PATCH', `/api/workflow-executions/${id}/`, { status: 'completed', end_time: 'then' });
    expect(
      await here.ask('PATCH', `/api/workflow-executions/${id}/`, { status: 'terminated', end_time: null }),
    ).toMatchObject({
      body: { status: 'terminated', end_time: 'then' },
    });
    expect(
      (await here.ask('GET', '/api/workflow-executions/?status=running')).body.map(
        ({ execution_id }: any) => execution_id,
      ),
    ).not.toContain(id);
  });

  it('assigns a result to the slice that it names, not to the first one with the same number', async () => {
    const slice = (file: number) => ({
      slice_id: 3,
      tf_first: 0,
      tf_last: 1,
      tf_count: 2,
      tf_filename: `x_tf_00${file}_slice_003.tf`,
      stf_filename: 'x.stf',
      run_number: '300',
      status: 'queued',
    });
    const ids = [];
    for (const file of [1, 2]) ids.push((await here.ask('POST', '/api/tf-slices/', slice(file))).body.id);
    const open = async () => (await here.ask('GET', '/api/tf-slices/?run_number=300&slice_id=3')).body;
    const [first] = await open();
    expect(first).toMatchObject({ id: ids[0], fastmon_file: 'x_tf_001.tf' });
    const metadata = {
      result: { state: true, result: { req_id: 'r', tf_filename: 'x_tf_002_slice_003.tf', slice_id: 3 } },
    };
    await here.ask('PATCH', `/api/tf-slices/${first.id}/`, { status: 'completed', metadata });
    expect((await open()).map(({ id }: any) => id)).toEqual([ids[0]]);
  });

  it('keeps an entry per run for a shared STF file, and finds the entry of the current run', async () => {
    const stf = { stf_filename: 'shared.stf', status: 'registered' };
    for (const run of [501, 502]) {
      await here.ask('POST', '/api/runs/', { run_number: run, start_time: `s${run}` });
      expect((await here.ask('GET', '/api/stf-files/?stf_filename=shared.stf')).body).toEqual([]);
      expect((await here.ask('POST', '/api/stf-files/', { run, ...stf })).status).toBe(201);
      expect((await here.ask('GET', '/api/stf-files/?stf_filename=shared.stf')).body).toHaveLength(1);
      const tf = { stf_file: 'shared.stf', tf_filename: 'shared_tf_001.tf', tf_first: 0, tf_last: 9, tf_count: 10 };
      expect((await here.ask('POST', '/api/fastmon-files/', tf)).status).toBe(201);
      expect(
        (await here.ask('GET', `/api/fastmon-files/?run_id=${run}&tf_filename=shared_tf_001.tf`)).body,
      ).toHaveLength(1);
      await here.ask('PATCH', `/api/runs/${run}/`, { end_time: 'then' });
    }
  });

  it('never changes the ids or names in a row', async () => {
    const slice = { slice_id: 1, tf_filename: 'k_tf_001_slice_001.tf', run_number: '410', status: 'queued' };
    const { id } = (await here.ask('POST', '/api/tf-slices/', slice)).body;
    const change = { id: 1, slice_id: 2, run_number: '411', status: 'processing' };
    expect((await here.ask('PATCH', `/api/tf-slices/${id}/`, change)).body).toMatchObject({
      ...slice,
      id,
      status: 'processing',
    });
  });

  it('does not find the files of a stopped run, so that the next run registers its own', async () => {
    const name = 'stf_datataking-user-0500';
    for (const run of [510, 511]) {
      await here.ask('POST', '/api/workflow-executions/', {
        execution_id: `${name}${run}`,
        namespace: `ns-${run}`,
        start_time: `s${run}`,
      });
      await here.ask('POST', '/api/run-states/', {
        run_number: String(run),
        metadata: { execution_id: `${name}${run}` },
      });
      await here.ask('POST', '/api/runs/', { run_number: run, start_time: 's' });
      expect((await here.ask('GET', '/api/stf-files/?stf_filename=listed.stf')).body).toEqual([]);
      await here.ask('POST', '/api/stf-files/', { run, stf_filename: 'listed.stf' });
      // The runner stops it; no program ends its data taking.
      await here.ask('PATCH', `/api/workflow-executions/${name}${run}/`, { status: 'terminated', end_time: null });
    }
  });

  it('assigns a TF file to the run in the namespace of its agent', async () => {
    for (const run of [520, 521]) {
      const execution_id = `stf_datataking-user-${run}`;
      await here.ask('POST', '/api/workflow-executions/', { execution_id, namespace: `ns-${run}`, start_time: 's' });
      await here.ask('POST', '/api/run-states/', { run_number: String(run), metadata: { execution_id } });
      await here.ask('POST', '/api/stf-files/', { run, stf_filename: 'both.stf' });
      await here.ask('POST', '/api/systemagents/heartbeat/', {
        instance_name: `fastmon-${run}`,
        agent_type: 'fastmon',
        namespace: `ns-${run}`,
      });
    }
    for (const run of [520, 521]) {
      const tf = {
        stf_file: 'both.stf',
        tf_filename: 'both_tf_001.tf',
        tf_first: 0,
        tf_last: 9,
        metadata: { agent_name: `fastmon-${run}` },
      };
      expect((await here.ask('POST', '/api/fastmon-files/', tf)).status).toBe(201);
      expect((await here.ask('GET', `/api/fastmon-files/?run_id=${run}&tf_filename=both_tf_001.tf`)).body).toHaveLength(
        1,
      );
    }
    const files = here.store.db
      .prepare(`SELECT run_number FROM fastmon_files WHERE tf_filename = 'both_tf_001.tf' ORDER BY run_number`)
      .all();
    expect(files).toEqual([{ run_number: 520 }, { run_number: 521 }]);
  });

  it('hides secrets in its records and answers', async () => {
    const parameter_values = { broker: { password: 'hidden', url: 'stomp://me:hidden@host' } };
    const execution = { execution_id: 'stf_datataking-user-0600', namespace: 'e', start_time: 's', parameter_values };
    await here.ask('POST', '/api/workflow-executions/', execution);
    const answers = await Promise.all([
      here.ask('GET', '/api/workflow-executions/stf_datataking-user-0600/'),
      here.ask('GET', '/api/workflow-executions/?a_token=hidden'),
    ]);
    expect(JSON.stringify([answers, here.heard])).not.toContain('hidden');
  });

  it('assigns the next number, however high the last one is', async () => {
    await here.ask('POST', '/api/workflow-executions/', {
      execution_id: 'dated-user-20261127',
      namespace: 'e',
      start_time: 's',
    });
    const { body } = await here.ask('POST', '/api/state/next-workflow-execution-id/', { workflow_name: 'dated' });
    expect(body.sequence).toBe(20_261_128);
  });

  it.each([
    ['/api/systemagents/heartbeat/', { instance_name: 'odd-1', agent_type: 'constructor' }, 201],
    ['/api/systemagents/heartbeat/', { instance_name: 'odd-2', agent_type: '__proto__' }, 201],
    ['/api/logs/', { instance_name: 'odd', message: 'm', level: 1e300 }, 201],
    ['/api/workflow-executions/', { execution_id: 'a\nb', namespace: 'e' }, 400],
    ['/api/run-states/', { run_number: '0778' }, 400],
    ['/api/stf-files/', { run: 5, stf_filename: 'm.stf', metadata: 'text' }, 400],
    ['/api/run-states/', `{"run_number":"5","metadata":${'{"a":'.repeat(5000)}1${'}'.repeat(5001)}`, 400],
  ])('answers odd content at %s without an internal error', async (path, body, status) => {
    expect((await here.ask('POST', path, body)).status).toBe(status);
  });

  it('records two events at the same moment separately, and a repeated event once', async () => {
    const event = (n: number) => ({ event_type: 'odd', run_number: '700', timestamp: 't', event_data: { n } });
    const ids = [];
    for (const n of [1, 2, 1]) ids.push((await here.ask('POST', '/api/system-state-events/', event(n))).body.event_id);
    expect(new Set(ids).size).toBe(2);
    expect(ids[2]).toBe(ids[0]);
    expect(
      (await here.ask('GET', '/api/system-state-events/?run_number=700&event_type=odd&limit=-1')).body,
    ).toHaveLength(2);
  });

  it('returns STF files in pages if a limit is given, as swf-monitor does, and otherwise as an array', async () => {
    for (const n of [1, 2, 3]) await here.ask('POST', '/api/stf-files/', { run: 812, stf_filename: `page-${n}.stf` });
    const { body: all } = await here.ask('GET', '/api/stf-files/?run_number=812');
    expect(all).toHaveLength(3);
    const { body: first } = await here.ask('GET', '/api/stf-files/?run_number=812&limit=2&offset=0');
    expect(first).toEqual({ count: 3, next: expect.any(String), results: all.slice(0, 2) });
    const next = new URL(first.next);
    expect((await here.ask('GET', `${next.pathname}${next.search}`)).body).toEqual({
      count: 3,
      next: null,
      results: all.slice(2),
    });
    expect((await here.ask('GET', '/api/tf-slices/?run_number=812&limit=2')).body).toEqual([]);
  });

  it('says if a list has only the newest objects', async () => {
    const heard = async () => (await fetch(`${here.root}/api/subscribers/`)).headers.get('warning');
    expect(await heard()).toBeNull();
    here.store.db.exec(
      `INSERT INTO monitor_objects (kind, object_id, name, document)
       WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT 'subscribers', 's' || i, 's' || i, '{}' FROM n`,
    );
    expect(await heard()).toMatch(/^299 .* the newest 20000 /);
    here.store.db.exec(`DELETE FROM monitor_objects WHERE object_id GLOB 's[0-9]*'`);
  });

  it('records heartbeats, log lines and subscribers once each', async () => {
    const beat = {
      instance_name: 'data-agent-user-1',
      agent_type: 'DATA',
      status: 'OK',
      operational_state: 'READY',
      namespace: 'epic',
      hostname: 'h',
      mq_connected: false,
    };
    expect((await here.ask('POST', '/api/systemagents/heartbeat/', beat)).status).toBe(201);
    expect(
      await here.ask('POST', '/api/systemagents/heartbeat/', { ...beat, operational_state: 'PROCESSING' }),
    ).toMatchObject({ status: 200, body: { mq_connected: false } });
    const line = {
      instance_name: 'data-agent-user-1',
      level: 40,
      message: 'no disk',
      extra_data: { run_id: '9', password: 'p' },
      lineno: 3,
    };
    const logged = await here.ask('POST', '/api/logs/', line);
    expect(await here.ask('POST', '/api/logs/', line)).toEqual(logged);
    const subscriber = { subscriber_name: 'a-/topic/epictopic', fraction: 1 };
    const subscribed = await here.ask('POST', '/api/subscribers/', subscriber);
    expect(await here.ask('POST', '/api/subscribers/', { ...subscriber, fraction: 2 })).toEqual(subscribed);
    const queries = createQueries(here.store.db, () => undefined);
    const agents = queries.agents({ agent_name: 'data-agent-user-1', include_exited: true } as any, {
      order: 'newest',
      limit: 5,
      uncounted: true,
    });
    expect(agents.rows.filter(({ agent_name }) => agent_name === 'data-agent-user-1')).toMatchObject([
      { agent_name: 'data-agent-user-1', agent_type: 'data', namespace: 'epic', state: 'PROCESSING', heard_on: 'h' },
    ]);
    const lines = here.store.db
      .prepare(`SELECT level, message, run_id, context FROM app_logs WHERE agent = 'data-agent-user-1'`)
      .all();
    expect(lines).toEqual([
      { level: 40, message: 'no disk', run_id: '9', context: expect.stringContaining('"password":"***"') },
    ]);
  });

  it('accepts definitions of up to four megabytes, and refuses longer ones', async () => {
    const definition = (size: number) => ({ workflow_name: 'w', version: String(size), definition: 'x'.repeat(size) });
    expect((await here.ask('POST', '/api/workflow-definitions/', definition(3_900_000))).status).toBe(201);
    expect((await here.ask('POST', '/api/workflow-definitions/', definition(4_200_000))).status).toBe(413);
    expect((await here.ask('POST', '/api/runs/', '{"run_number":')).status).toBe(400);
  });
});

describe('the token of the stand-in', () => {
  let here: StandIn;
  beforeAll(async () => {
    here = await standIn('secret');
  });
  afterAll(() => here.close());

  it.each([
    ['Token secret', 200],
    ['Bearer secret', 200],
    ['Token wrong', 401],
    ['', 401],
  ])('"%s" leads to status %i for a write', async (authorization, status) => {
    expect((await here.ask('POST', '/api/state/next-agent-id/', {}, { Authorization: authorization })).status).toBe(
      status,
    );
  });

  it.each(resources.map(({ path }) => path))('is needed to register or change anything: %s', async (path) => {
    const none = { Authorization: '' };
    const answers = [
      await here.ask('POST', `/api/${path}/`, {}, none),
      await here.ask('PATCH', `/api/${path}/1/`, {}, none),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
  });

  it('is needed for every call that writes anything except log lines', async () => {
    for (const { method, path, isOpen } of calls)
      if (method !== 'GET')
        expect({ path, status: (await here.ask(method, `/api/${path}`, {}, { Authorization: '' })).status }).toEqual({
          path,
          status: isOpen ? expect.not.toSatisfy((status: number) => status === 401) : 401,
        });
  });

  it('is not needed to read anything or to write a log line', async () => {
    const none = { Authorization: '' };
    expect((await here.ask('POST', '/api/logs/', { instance_name: 'a', message: 'm' }, none)).status).toBe(201);
    expect((await here.ask('GET', '/api/tf-slices/?run_number=1', undefined, none)).status).toBe(200);
  });

  it('is checked before a body is read, except that of a short log line', async () => {
    const none = { Authorization: '' };
    expect((await here.ask('POST', '/api/runs/', 'not JSON', none)).status).toBe(401);
    const logLine = (size: number) => ({ instance_name: 'a', message: 'x'.repeat(size) });
    expect((await here.ask('POST', '/api/logs/', logLine(60_000), none)).status).toBe(201);
    expect((await here.ask('POST', '/api/logs/', logLine(70_000), none)).status).toBe(413);
    expect((await here.ask('POST', '/api/logs/', logLine(70_000))).status).toBe(201);
  });

  it('does not allow a query for more than twenty names, since each name costs a search', async () => {
    const names = (count: number) => Array.from({ length: count }, (_, n) => `f${n}=1`).join('&');
    const status = async (count: number) => (await here.ask('GET', `/api/tf-slices/?${names(count)}`)).status;
    expect([await status(20), await status(21), await status(1100)]).toEqual([200, 400, 400]);
  });

  it('is reported once if it is wrong, with advice on what to do, and is never recorded', () => {
    expect(here.said).toEqual([
      expect.stringMatching(/^WARNING a program at \S+ sent a wrong token.* SWF_MONITOR_TOKEN$/),
    ]);
    expect(JSON.stringify(here.heard)).not.toContain('secret');
  });
});
