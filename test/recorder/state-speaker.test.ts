import { describe, expect, it, onTestFinished } from 'vitest';

import { registerProcess, takeOwnership } from '../../src/db/presence/leases.ts';
import { executionParamsSchema } from '../../src/domain/params.ts';
import { createNotifier } from '../../src/messages/notifier.ts';
import type { ExecutionState } from '../../src/messages/telemetry.ts';
import type { MessageType } from '../../src/messages/vocabulary.ts';
import { createStateSpeaker } from '../../src/recorder/state-speaker.ts';
import { noCounts } from '../helpers.ts';
import { pass, stopTime, turns } from '../still-time.ts';
import { destinations, type Exchange, execution_id, namespace, setUp } from './setup.ts';

type Heard = ExecutionState & { second: number; headers: Record<string, string> };

const params = executionParamsSchema.parse({ worker: { max_retries: 7 }, fast_processing: { stf_count: 4 } });

/** A request for a second execution. */
const again = { command_id: 'c2', workflow_name: 'stf_datataking', params: {}, executed_by: 'tester', speed: 1 };

/** A speaker of states, and the states that agents receive. */
async function speak() {
  stopTime();
  const made: Exchange = await setUp();
  const notifier = createNotifier();
  const heard: Heard[] = [];
  const said: ExecutionState[] = [];
  const began = performance.now();
  made.theirs.subscribe({
    id: 'telemetry',
    destination: destinations.telemetry,
    ack: 'auto',
    onMessage: ({ body, headers }) =>
      heard.push({
        ...(JSON.parse(body) as ExecutionState),
        second: (performance.now() - began) / 1000,
        headers: { ...headers },
      }),
  });
  const resting: Pick<ExecutionState, 'resting' | 'on_trial'> = {};
  const speaker = createStateSpeaker({
    store: made.store,
    broker: made.ours,
    notifier,
    namespace,
    storeId: 'S',
    destinations,
    restingOf: () => resting,
    onSaid: (state) => said.push(state),
    onFault: (error) => made.faults.push(error),
  });
  onTestFinished(() => {
    // Otherwise close() would wait for time to pass.
    made.broker.goDown();
    return speaker.close();
  });
  /** Records a message, and wakes those that wait for it. */
  const tell = async (type: MessageType, fields: object): Promise<void> => {
    await made.say(type, fields);
    notifier.announce([type]);
    await turns();
  };
  const end = (): Promise<void> => tell('workflow_ended', { ...noCounts, status: 'completed', reason: 'completed' });
  const seconds = (): number[] => heard.map(({ second }) => second);
  return { ...made, notifier, heard, said, speaker, tell, end, seconds };
}

describe('the states of executions', () => {
  it('are announced immediately, every five seconds and at each change, with everything that an agent needs', async () => {
    const { speaker, heard, said, tell, seconds, notifier, store, faults } = await speak();
    expect(speaker.isSpeaking()).toBe(false);
    await pass(5);
    expect(heard).toEqual([]);
    speaker.add(execution_id, 'daq-1', params);
    expect(speaker.isSpeaking()).toBe(true);
    await pass(7);
    await tell('pause_run', { ordinal: 1, reason: 'period' });
    // Messages that change nothing are not announced.
    for (const type of ['start_run', 'stf_gen'] as const) notifier.announce([type]);
    await pass(1);
    await tell('resume_run', { ordinal: 1, reason: 'period' });
    await pass(2);
    expect(seconds()).toEqual([5, 10, 12, 13, 15]);
    expect(heard.map(({ phase }) => phase)).toEqual(['physics', 'physics', 'standby', 'physics', 'physics']);
    expect(heard[0]).toMatchObject({
      msg_type: 'execution_state',
      sender: 'daq-1',
      namespace,
      timestamp: '2026-01-01T00:00:05.000Z',
      execution_id,
      store_id: 'S',
      epoch: 1,
      run_id: '100010',
      status: 'running',
      held: false,
      plan_version: params.plan_version,
      max_retries: 7,
      workflow_params: { fast_processing: { stf_count: 4 } },
      headers: { namespace, msg_type: 'execution_state' },
    });
    expect(heard[0]?.headers).not.toHaveProperty('persistent');
    // Announced states are known here without the broker.
    expect(said.map(({ phase, timestamp }) => [phase, timestamp])).toEqual(
      heard.map(({ phase, timestamp }) => [phase, timestamp]),
    );
    // Another driver.
    await store.write((tx) => {
      const process = registerProcess(tx, { pid: 1, pid_started: '1', hostname: 'here' }, '1');
      for (let epoch = 0; epoch < 2; epoch += 1) takeOwnership(tx, execution_id, process, () => true);
    });
    await tell('driver_started', { epoch: 2, pid: 1, user: 'tester', version: '1', speed: 1, hostname: 'here' });
    expect(heard.at(-1)).toMatchObject({ epoch: 2, held: false });
    expect(seconds()).toHaveLength(6);
    expect(faults).toEqual([]);
  });

  it('are announced again at each message that changes them, from run_imminent to workflow_ended', async () => {
    const { speaker, heard, store, notifier, say } = await speak();
    const second = { execution_id: 'stf_datataking-tester-0002', run_id: '100011' };
    await say('run_workflow', again);
    await store.write((tx) => {
      const process = registerProcess(tx, { pid: 1, pid_started: '1', hostname: 'here' }, '1');
      takeOwnership(tx, second.execution_id, process, () => true);
    });
    await say('driver_started', {
      ...second,
      epoch: 1,
      pid: 1,
      user: 'tester',
      version: '1',
      speed: 1,
      hostname: 'here',
    });
    speaker.add(second.execution_id, 'daq-1', params);
    await turns();
    const changes: [MessageType, object, object][] = [
      ['run_imminent', {}, { phase: 'imminent' }],
      ['start_run', { state: 'physics' }, { phase: 'physics' }],
      ['pause_workflow', { command_id: 'p' }, { held: true }],
      ['resume_workflow', { command_id: 'r' }, { held: false }],
      ['pause_run', { ordinal: 1, reason: 'period' }, { phase: 'standby' }],
      ['resume_run', { ordinal: 1, reason: 'period' }, { phase: 'physics' }],
      ['end_run', { total_stf_files: 0, reason: 'completed' }, { phase: 'completed' }],
      ['workflow_ended', { ...noCounts, status: 'failed', reason: 'lost' }, { status: 'failed' }],
    ];
    for (const [at, [type, fields, change]] of changes.entries()) {
      await pass(0.1, 0.1);
      await say(type, { ...second, ...fields }, { effect: { effect: 'applied' } });
      notifier.announce([type]);
      await turns();
      expect([type, heard.length]).toEqual([type, at + 2]);
      expect(heard.at(-1)).toMatchObject(change);
    }
  });

  it('are announced again when the broker is back, and locally even while it is away', async () => {
    const { speaker, heard, said, broker, seconds } = await speak();
    speaker.add(execution_id, 'daq-1', params);
    await pass(1);
    broker.goDown();
    await pass(11);
    expect([seconds(), said.length]).toEqual([[0], 3]);
    broker.comeUp();
    await turns();
    expect(seconds()).toEqual([0, 12]);
    expect(heard[1]).toMatchObject({ phase: 'physics' });
  });

  it('are announced for an added execution, and not again for the others', async () => {
    const { speaker, heard, say } = await speak();
    await say('run_workflow', again);
    speaker.add(execution_id, 'daq-1', params);
    speaker.add('stf_datataking-tester-0002', 'daq-1', params);
    await turns();
    expect(heard.map(({ execution_id: id }) => id)).toEqual([execution_id, 'stf_datataking-tester-0002']);
    speaker.sayAll();
    await turns();
    expect(heard).toHaveLength(4);
    speaker.remove(execution_id);
    await pass(5);
    expect(heard.slice(4).map(({ execution_id: id }) => id)).toEqual(['stf_datataking-tester-0002']);
  });
});

describe('the last state of an execution', () => {
  it('is announced five times; the time while the broker is away does not count', async () => {
    const { speaker, heard, end, seconds, broker } = await speak();
    speaker.add(execution_id, 'daq-1', params);
    await pass(1);
    await end();
    await pass(5);
    broker.goDown();
    await pass(20);
    broker.comeUp();
    await pass(60);
    expect(seconds()).toEqual([0, 1, 5, 26, 30, 35]);
    expect(heard.slice(1).every(({ status }) => status === 'completed')).toBe(true);
    expect(speaker.isSpeaking()).toBe(false);
  });

  it('is announced within half a second if the process ends; other executions are not announced again', async () => {
    const { speaker, heard, seconds, say, end } = await speak();
    await say('run_workflow', again);
    speaker.add(execution_id, 'daq-1', params);
    speaker.add('stf_datataking-tester-0002', 'daq-1', params);
    await end();
    let isOver = false;
    void speaker.close().then(() => (isOver = true));
    await pass(0.3, 0.1);
    expect(isOver).toBe(false);
    await pass(0.2, 0.1);
    expect(isOver).toBe(true);
    await pass(30);
    const of = (id: string) => seconds().filter((_, at) => heard[at]?.execution_id === id);
    expect(of(execution_id)).toEqual([0, 0, 0, 0.1, 0.2, 0.3]);
    expect(of('stf_datataking-tester-0002')).toEqual([0, 0]);
  });

  it('is not waited for if the broker is unreachable; adding an unknown execution is a fault', async () => {
    const { speaker, broker, faults } = await speak();
    speaker.add(execution_id, 'daq-1', params);
    broker.goDown();
    await speaker.close();
    expect(faults).toEqual([]);
    speaker.add('unknown', 'daq-1', params);
    expect(faults).toMatchObject([{ code: 'EXECUTION_NOT_FOUND' }]);
  });
});
