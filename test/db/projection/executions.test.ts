import { describe, expect, it } from 'vitest';

import { makeRunningStore, makeStore, noCounts, type TestStore } from '../../made-store.ts';
import { state } from '../one-slice.ts';

const id = 'stf_datataking-tester-0001';
const at = (second: number): string => `2026-11-28T10:00:0${second}.000Z`;
const start = {
  command_id: 'c1',
  workflow_name: 'stf_datataking',
  params: {},
  executed_by: 'tester',
  speed: 1,
} as const;

/** A `run_workflow` with numbers, as a replay has it. */
const begin = (made: TestStore, fields: object) =>
  made.say('run_workflow', { ...start, execution_id: 'e-1', run_id: '7', ...fields }, { isReplay: true });

const executions = ({ store }: TestStore): any[] =>
  store.db.prepare('SELECT * FROM workflow_executions ORDER BY seq').all();

describe('the start of an execution', () => {
  it('creates the execution with its parameters, its run and zero counts', async () => {
    const made = await makeStore();
    const params = { fast_processing: { stf_count: 3 } };
    expect(await begin(made, { params, speed: 'max', timestamp: at(1) })).toMatchObject({ effect: 'applied' });
    const [execution] = executions(made);
    expect(execution).toMatchObject({
      execution_id: 'e-1',
      origin: 'own',
      workflow_name: 'stf_datataking',
      namespace: 'test',
      status: 'running',
      status_reason: null,
      executed_by: 'tester',
      run_number: 7,
      over_broker: 0,
      start_time: at(1),
      end_time: null,
    });
    expect(JSON.parse(execution.params)).toEqual({ ...params, speed: 'max', plan_version: 1 });
    expect(state(made)).toMatchObject({ execution_id: 'e-1', phase: 'none', stfs_announced: 0, slices_created: 0 });
    expect(made.store.db.prepare('SELECT * FROM runs').get()).toMatchObject({ execution_id: 'e-1', start_time: null });
  });

  it.each([
    [{}, 0],
    [{ broker: null }, 0],
    [{ broker: 'stomp://127.0.0.1:1' }, 0],
    [{ broker: {} }, 0],
    [{ broker: { url: 7 } }, 0],
    [{ broker: { url: 'stomp://127.0.0.1:1' } }, 1],
  ])('records whether it runs over a broker: %j', async (params, over_broker) => {
    const made = await makeStore();
    await begin(made, { params });
    expect(executions(made)).toMatchObject([{ over_broker }]);
  });

  it.each([
    ['names no execution', { execution_id: undefined }, 'has no execution and run number'],
    ['names no run', { run_id: undefined }, 'has no execution and run number'],
    ['names a run that is not a number', { run_id: '7a' }, 'has no execution and run number'],
    ['names a run that does not begin with a digit', { run_id: 'a7' }, 'has no execution and run number'],
    ['names a run with too many digits', { run_id: '1234567890123456' }, 'has no execution and run number'],
    [
      'has unusable parameters',
      { params: { fast_processing: { stf_count: 'x' } } },
      'its parameters cannot be used: fast_processing.stf_count',
    ],
  ])('creates nothing if it %s', async (_, fields, effect_reason) => {
    const made = await makeStore();
    expect(await begin(made, fields)).toMatchObject({ effect: 'none', effect_code: 'NO_NEW_EXECUTION', effect_reason });
    expect(executions(made)).toEqual([]);
  });

  it.each([
    ['the same id', { run_id: '8' }, 'execution e-1 or run 8 already exists'],
    ['the same run', { execution_id: 'e-2' }, 'execution e-2 or run 7 already exists'],
  ])('creates nothing if there already is an execution with %s', async (_, fields, effect_reason) => {
    const made = await makeStore();
    await begin(made, {});
    const second = { command_id: 'c2', ...fields };
    expect(await begin(made, second)).toMatchObject({ effect_code: 'NO_NEW_EXECUTION', effect_reason });
    expect(executions(made)).toHaveLength(1);
  });

  it('may have the run number of an observed execution', async () => {
    const made = await makeStore();
    made.store.db.exec(
      `INSERT INTO workflow_executions (execution_id, origin, namespace, status, run_number, params, start_time) VALUES ('other', 'observed', '', 'running', 7, '{}', '')`,
    );
    expect(await begin(made, {})).toMatchObject({ effect: 'applied' });
  });
});

describe('a message', () => {
  const pause = { ordinal: 1, reason: 'period' as const };

  it.each([
    ['of no execution', { execution_id: undefined }, 'NO_EXECUTION', 'names no execution'],
    ['of an unknown execution', { execution_id: 'e-9' }, 'EXECUTION_UNKNOWN', 'unknown execution e-9'],
    ['of an execution of other programs', { execution_id: 'other' }, 'EXECUTION_UNKNOWN', 'unknown execution other'],
    ['of another run', { run_id: '99' }, 'OTHER_RUN', `run 99 is not run 100010 of ${id}`],
    ['of another namespace', { namespace: 'prod' }, 'OTHER_NAMESPACE', `${id} is in namespace test`],
  ])('%s changes nothing, and the log records why', async (_, fields, effect_code, effect_reason) => {
    const made = await makeRunningStore();
    made.store.db.exec(
      `INSERT INTO workflow_executions (execution_id, origin, namespace, status, run_number, params, start_time) VALUES ('other', 'observed', 'test', 'running', 100010, '{}', '')`,
    );
    expect(await made.say('pause_run', { ...pause, ...fields })).toMatchObject({
      effect: 'none',
      effect_code,
      effect_reason,
    });
    expect(state(made)).toMatchObject({ phase: 'physics' });
  });

  it('need not name the run', async () => {
    const made = await makeRunningStore();
    expect(await made.say('pause_run', { ...pause, run_id: undefined })).toMatchObject({ effect: 'applied' });
  });

  it('that comes after the end of its execution changes nothing, even in the same transaction', async () => {
    const made = await makeRunningStore();
    const { store } = made;
    const envelope = { sender: 'tester', namespace: 'test', execution_id: id, run_id: '100010' };
    const [, late] = await store.write((tx) => [
      store.messages.record(tx, {
        msg_type: 'workflow_ended',
        ...envelope,
        ...noCounts,
        status: 'failed',
        reason: 'x',
      }),
      store.messages.record(tx, { msg_type: 'pause_run', ...envelope, ...pause }),
    ]);
    expect(late).toMatchObject({ effect_code: 'EXECUTION_ENDED', effect_reason: 'the execution has ended (failed)' });
  });

  it('belongs to the execution that it names, even if one transaction mixes messages of several executions', async () => {
    const made = await makeRunningStore();
    await made.say('run_workflow', { ...start, command_id: 'c2' });
    const { store } = made;
    const of = (n: number) => ({
      sender: 'tester',
      namespace: 'test',
      execution_id: `stf_datataking-tester-000${n}`,
      run_id: String(100_009 + n),
    });
    const effects = await store.write((tx) => [
      store.messages.record(tx, { msg_type: 'pause_run', ...of(1), ...pause }),
      store.messages.record(tx, { msg_type: 'run_imminent', ...of(2) }),
      store.messages.record(tx, { msg_type: 'resume_run', ...of(1), ...pause }),
      store.messages.record(tx, { msg_type: 'run_imminent', ...of(3) }),
      store.messages.record(tx, { msg_type: 'run_workflow', ...of(3), ...start, command_id: 'c3', plan_version: 1 }),
      store.messages.record(tx, { msg_type: 'start_run', ...of(2) }),
    ]);
    expect(effects.map(({ effect }) => effect)).toEqual([
      'applied',
      'applied',
      'applied',
      'none',
      'applied',
      'applied',
    ]);
  });
});

describe('a message from a driver about itself', () => {
  const driver = { pid: 7, user: 'tester', version: '1.0.0', speed: 1, hostname: 'host' } as const;
  const lost = { last_sign: at(1), last_sign_by: 'beat' } as const;

  it.each([
    [
      'started after its successor',
      'driver_started',
      { epoch: 1, ...driver },
      'driver_started',
      { epoch: 2, ...driver },
      'epoch 1 is over',
    ],
    [
      'ended after it was found lost',
      'driver_ended',
      { epoch: 1, cause: 'finished' },
      'driver_lost',
      { epoch: 1, ...lost },
      'the driver of epoch 1 was already lost',
    ],
    [
      'was lost after it ended',
      'driver_lost',
      { epoch: 1, ...lost },
      'driver_ended',
      { epoch: 1, cause: 'finished' },
      'the driver of epoch 1 has already ended',
    ],
  ] as const)('has no effect if the driver %s', async (...[, type, fields, before, said, effect_reason]) => {
    const { say } = await makeRunningStore();
    expect(await say(before, said as object)).toMatchObject({ effect: 'applied' });
    expect(await say(type, fields as object)).toMatchObject({ effect: 'none', effect_code: 'NO_STEP', effect_reason });
  });

  it('has an effect if nothing contradicts it', async () => {
    const { say } = await makeRunningStore();
    const said = [
      await say('driver_started', { epoch: 1, ...driver }),
      await say('driver_lost', { epoch: 1, ...lost }),
      await say('driver_started', { epoch: 2, ...driver }),
      await say('driver_ended', { epoch: 2, cause: 'interrupted' }),
    ];
    expect(said.map(({ effect }) => effect)).toEqual(['applied', 'applied', 'applied', 'applied']);
  });
});
