import { registerProcess, takeOwnership } from '../../../src/db/presence/leases.ts';
import type { Message } from '../../../src/messages/message.ts';
import type { MessageType } from '../../../src/messages/vocabulary.ts';
import { makeStoreForAll, noCounts, type TestStore } from '../../made-store.ts';

/** Minute `m` after the beginning of the known runs. */
export const at = (minute: number): string =>
  new Date(Date.parse('2026-03-01T10:00:00.000Z') + minute * 60_000).toISOString();

/** The known executions. */
export const ada = 'stf_datataking-ada-0001';
export const bob = 'stf_datataking-bob-0002';
export const cleo = 'stf_other-cleo-0003';
export const seen = 'seen-elsewhere';

const ofAda = { sender: 'daq-agent-ada-1', namespace: 'test', execution_id: ada, run_id: '100010' };
const ofBob = { sender: 'daq-agent-bob-9', namespace: 'other', execution_id: bob, run_id: '100011' };

type Say = <T extends MessageType>(minute: number, type: T, fields: Partial<Message<T>>) => Promise<unknown>;

/** Records messages of a run at the minute when they are sent. */
const sayerOf =
  ({ say }: TestStore, envelope: object): Say =>
  (minute, type, fields) =>
    say(type, { ...envelope, timestamp: at(minute), ...fields }, { recordedAt: at(minute) });

export const stf = (run: number, sequence: number): string => `swf.${run}.00000${sequence}.stf`;
export const tf = (run: number, sequence: number): string => `swf.${run}.00000${sequence}_tf_001.tf`;
export const slice = (run: number, sequence: number, id: number): string =>
  `swf.${run}.00000${sequence}_slice_00${id}.tf`;

/** An STF file that is generated at a minute and, if `isReady`, ready with its sample one minute later. */
async function sayFile(say: Say, run: number, sequence: number, minute: number, isReady = true): Promise<void> {
  const file = { filename: stf(run, sequence), sequence, tf_count: 100 };
  await say(minute, 'stf_gen', file);
  if (!isReady) return;
  await say(minute + 1, 'stf_ready', { ...file, checksum: `sum-${sequence}`, size_bytes: 1000 * sequence });
  await say(minute + 1, 'tf_file_registered', {
    tf_filename: tf(run, sequence),
    stf_filename: stf(run, sequence),
    tf_first: 0,
    tf_last: 14,
    tf_count: 15,
  });
}

/** An attempt at a slice of the first STF file: its events, each recorded at a minute. */
function attemptOf(say: Say, run: number, id: number, attempt = 1) {
  const of = { slice_id: id, slice_filename: slice(run, 1, id), tf_filename: tf(run, 1), attempt };
  const by = (worker: string) => ({ ...of, sender: worker.split('/')[0] ?? '', worker_id: worker, hostname: 'host-a' });
  return {
    queue: (minute: number, fields: Partial<Message<'slice'>> = {}) =>
      say(minute, 'slice', { ...of, stf_filename: stf(run, 1), start: id, end: id, tf_count: 1, ...fields }),
    start: (minute: number, worker: string) => say(minute, 'slice_started', by(worker)),
    end: (minute: number, worker: string, fields: Partial<Message<'slice_result'>>) =>
      say(minute, 'slice_result', { ...by(worker), ...fields }),
  };
}

const digest = `sha256:${'0123456789ab'.padEnd(64, 'c')}`;

/** Minutes 0 to 30: two STF files, one of them with slices in every state. */
async function runOfAda(made: TestStore): Promise<void> {
  const say = sayerOf(made, ofAda);
  const start = {
    command_id: 'c1',
    workflow_name: 'stf_datataking',
    config: '/etc/swf/beam',
    executed_by: 'ada',
    speed: 2,
  };
  const payload = ['/opt/reco/bin/Reco', '--password', 'sesame'];
  const params = { worker: { payload } };
  await say(0, 'run_workflow', { ...start, params, sender: 'ada', execution_id: undefined, run_id: undefined });
  await say(1, 'run_imminent', {});
  await say(2, 'start_run', { state: 'physics' });
  await sayFile(say, 100_010, 1, 3);
  const [done, again, waiting, failed] = [0, 1, 2, 3].map((id) => attemptOf(say, 100_010, id));
  for (const one of [done, again, waiting, failed]) await one?.queue(6);
  await done?.start(7, 'worker-agent-ada-1/01');
  await again?.start(7, 'worker-agent-ada-1/02');
  await failed?.start(8, 'worker-agent-ada-2/02');
  await again?.end(8, 'worker-agent-ada-1/02', { state: 'failed', error: 'no luck' });
  await done?.end(9, 'worker-agent-ada-1/01', { state: 'done', processing_seconds: 118, exit_code: 0 });
  await sayFile(say, 100_010, 2, 10, false);
  await failed?.end(11, 'worker-agent-ada-2/02', { state: 'failed', error: 'broken', exit_code: 3 });
  const second = attemptOf(say, 100_010, 1, 2);
  await second.queue(12, { payload: { name: 'Reco', digest } });
  await second.start(13, 'worker-agent-ada-2/07');
}

/** From minute 14: it is running. */
async function runOfBob(made: TestStore): Promise<void> {
  const say = sayerOf(made, ofBob);
  const start = {
    command_id: 'c2',
    workflow_name: 'stf_datataking',
    params: {},
    executed_by: 'bob',
    speed: 'max',
  } as const;
  await say(14, 'run_workflow', { ...start, sender: 'bob', execution_id: undefined, run_id: undefined });
  await say(14, 'run_imminent', {});
  await say(14, 'start_run', { state: 'physics' });
  await sayFile(say, 100_011, 1, 15);
  const [waiting, working] = [0, 1].map((id) => attemptOf(say, 100_011, id));
  await waiting?.queue(16);
  await working?.queue(16);
  await working?.start(17, 'worker-agent-bob-3/01');
  await sayFile(say, 100_011, 2, 18, false);
}

/** Minutes 20 to 22: a run of another workflow that ends at once. */
async function runOfCleo(made: TestStore): Promise<void> {
  const say = sayerOf(made, { sender: 'cleo', namespace: 'test', execution_id: cleo, run_id: '100012' });
  const start = {
    command_id: 'c3',
    workflow_name: 'stf_other',
    params: {},
    config: 'beam',
    executed_by: 'cleo',
    speed: 1,
  };
  await say(20, 'run_workflow', { ...start, execution_id: undefined, run_id: undefined });
  await say(22, 'workflow_ended', { ...noCounts, status: 'terminated', reason: 'Stopped by cleo' });
}

/** Minutes 28 to 35: the run of ada is stopped at its second STF file, and people write about it. */
async function endOfAda({ say }: TestStore): Promise<void> {
  const stop = { command_id: 's1', reason: 'disk full', state: 'failed', filename: stf(100_010, 2) } as const;
  const now = (minute: number) => ({ recordedAt: at(minute) });
  await say('stop_workflow', { ...ofAda, ...stop, timestamp: at(28) }, { ...now(28), effect: { effect: 'applied' } });
  const end = { ...noCounts, status: 'failed', reason: 'lost beam' } as const;
  await say('workflow_ended', { ...ofAda, ...end, timestamp: at(30) }, now(30));
  const note = { command_id: 'n1', text: 'Magnet QUENCH, then Ångström', author: 'ada' };
  await say('note', { ...ofAda, ...note, timestamp: at(34) }, now(34));
  const quality = { command_id: 'q1', value: 'bad', reason: 'Cold pixels', author: 'ada' } as const;
  await say('quality', { ...ofAda, ...quality, timestamp: at(35) }, now(35));
}

/** Minutes 40 to 50: an execution of other programs, as an observer would have made it. */
const seenElsewhere = ({ store }: TestStore): Promise<void> =>
  store.write(({ sql }) => {
    sql(
      `INSERT INTO workflow_executions (execution_id, origin, namespace, status, params, start_time, end_time)
       VALUES ('${seen}', 'observed', '', 'completed', '{"workflow":{"config":"conf/beam"}}', '${at(40)}', '${at(50)}')`,
    ).run();
    sql(`INSERT INTO runs (execution_id) VALUES ('${seen}')`).run();
    sql(`INSERT INTO run_states (execution_id) VALUES ('${seen}')`).run();
  });

/** Agents, and the driver of the run that goes on, last heard in minute 17. */
const agentsOf = ({ store }: TestStore): Promise<void> =>
  store.write((tx) => {
    const process = (pid: number): number =>
      registerProcess(tx, { pid, pid_started: '1', hostname: 'host-a' }, '1.0.0');
    const [driver, other] = [process(101), process(102)];
    takeOwnership(tx, bob, driver, () => true);
    tx.sql('UPDATE processes SET last_beat = ?').run(at(17));
    const agents: [
      name: string,
      type: string,
      namespace: string,
      state: string,
      heard: number,
      execution: string | null,
    ][] = [
      ['daq-agent-ada-1', 'daq_simulator', 'test', 'EXITED', 30, ada],
      // It works for another run now.
      ['worker-agent-ada-1', 'worker', 'test', 'READY', 31, cleo],
      // One of the same name has worked in another namespace.
      ['worker-agent-ada-2', 'worker', 'other', 'READY', 32, null],
      ['daq-agent-bob-9', 'daq_simulator', 'other', 'READY', 18, bob],
      ['worker-agent-bob-3', 'worker', 'other', 'PROCESSING', 19, bob],
    ];
    for (const [name, type, namespace, state, heard, execution] of agents)
      tx.sql(
        `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id, current_execution_id)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ).run(name, type, namespace, state, at(heard), name === 'daq-agent-bob-9' ? driver : other, execution);
  });

/** A store with runs that tests know. */
export async function knownRuns(): Promise<TestStore> {
  const made = await makeStoreForAll();
  await runOfAda(made);
  await runOfBob(made);
  await runOfCleo(made);
  // Without effect, refused, and contradicted.
  const say = sayerOf(made, ofAda);
  await say(24, 'resume_run', { ordinal: 9, reason: 'operator' });
  await say(25, 'stf_gen', { filename: stf(100_010, 1), sequence: 1, tf_count: 99 });
  await made.store.write((tx) =>
    made.receive(tx, '/topic/epictopic', '{broken', { recordedAt: at(26), sentAt: at(26) }),
  );
  await endOfAda(made);
  await seenElsewhere(made);
  await agentsOf(made);
  return made;
}
