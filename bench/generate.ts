import { createLogLineWriter, type LogLineWriter } from '../src/db/log/log-lines.ts';
import { openStore } from '../src/db/opening/open-store.ts';
import type { Store } from '../src/db/opening/store.ts';
import type { Transaction } from '../src/db/sqlite/transaction.ts';
import { stfFilename } from '../src/domain/file-names.ts';
import { type ExecutionParams, executionParamsSchema } from '../src/domain/params.ts';
import type { PlannedSlice } from '../src/domain/plan/plan.ts';
import { random } from '../src/domain/plan/v1.ts';
import { planOf } from '../src/domain/plan/versions.ts';
import type { LogLevel } from '../src/lib/logger.ts';
import type { Draft, Message } from '../src/messages/message.ts';
import type { Shape } from './shapes.ts';

/** The content of a generated store, and how fast it was made. */
export interface Generated {
  executions: string[];
  messages: number;
  logs: number;
  slices: number;
  seconds: number;
}

/** How many STFs' messages share a commit. */
const batch = 20;

/** Fills a store with a shape, through the same recording and projection as a run. */
export async function generate(path: string, shape: Shape): Promise<Generated> {
  const store = await openStore(path);
  const writers = {
    store,
    writeLog: createLogLineWriter('DEBUG'),
  };
  const began = performance.now();
  const made: Generated = { executions: [], messages: 0, logs: 0, slices: 0, seconds: 0 };
  // The messages get times as if the last of them had been recorded just now.
  let clock = Date.now() - shape.age * 1000;
  for (;;) {
    const stfs = shape.nextStfs({ executions: made.executions.length, messages: made.messages });
    if (stfs === undefined) break;
    clock = await generateExecution(writers, { shape, stfs, clock }, made);
  }
  store.close();
  made.seconds = (performance.now() - began) / 1000;
  return made;
}

interface Writers {
  store: Store;
  writeLog: LogLineWriter;
}

/** An execution while it is being made. */
interface Stage {
  number: number;
  run: number;
  execution_id: string;
  plan: ExecutionParams;
  shape: Shape;
  agent: (type: string) => string;
  say: (tx: Transaction, type: string, draft: Draft, seconds?: number) => void;
  log: (tx: Transaction, type: string, level: LogLevel, message: string) => void;
}

async function generateExecution(
  writers: Writers,
  { shape, stfs, clock: start }: { shape: Shape; stfs: number; clock: number },
  made: Generated,
): Promise<number> {
  const { store } = writers;
  let clock = start;
  const stage = await begin(writers, { shape, stfs, clock: () => clock }, made);
  const { say } = stage;
  clock += 12_000;
  for (let first = 1; first <= stfs; first += batch) {
    const last = Math.min(stfs, first + batch - 1);
    await store.write((tx) => {
      for (let sequence = first; sequence <= last; sequence += 1) {
        made.slices += generateStf(tx, stage, sequence);
        clock += shape.interval * 1000;
      }
    });
  }
  if (shape.isOpen(stage.number)) return clock;
  await store.write((tx) =>
    say(tx, 'daq_simulator', { msg_type: 'end_run', total_stf_files: stfs, reason: 'completed' }),
  );
  clock += 130_000;
  await store.write((tx) => {
    const counts = store.db
      .prepare<[string], Message<'workflow_ended'>>(
        `SELECT stfs_announced AS stf_count, tf_files_received, slices_created, slices_queued, slices_processing, slices_completed, slices_failed
         FROM run_states WHERE execution_id = ?`,
      )
      .get(stage.execution_id) as Message<'workflow_ended'>;
    say(tx, 'daq_simulator', { ...counts, msg_type: 'workflow_ended', status: 'completed', reason: 'completed' });
  });
  return clock;
}

/** Creates the execution and starts its run. */
async function begin(
  { store, writeLog }: Writers,
  { shape, stfs, clock }: { shape: Shape; stfs: number; clock: () => number },
  made: Generated,
): Promise<Stage> {
  const number = made.executions.length;
  const user = `user${number % 5}`;
  const namespace = `ns${number % 8}`;
  const params = { ...shape.params, fast_processing: { ...shape.params['fast_processing'], stf_count: stfs } };
  const at = (seconds: number): string => new Date(clock() + seconds * 1000).toISOString();
  const command = await store.write((tx) =>
    store.messages.record(tx, {
      msg_type: 'run_workflow',
      command_id: `bench-${number}`,
      sender: 'bench',
      namespace,
      workflow_name: 'stf_datataking',
      params: { ...params, testbed: { namespace }, data: { write_files: false } },
      executed_by: user,
      plan_version: 1,
      speed: 1,
      timestamp: at(0),
    }),
  );
  made.messages += 1;
  const execution_id = command.execution_id ?? '';
  made.executions.push(execution_id);
  const run = store.db
    .prepare<[string], number>('SELECT run_number FROM workflow_executions WHERE execution_id = ?')
    .pluck()
    .get(execution_id) as number;
  const envelope = { namespace, execution_id, run_id: String(run) };
  const agent = (type: string): string => `${type}-agent-${user}-${number}`;
  const log: Stage['log'] = (tx, type, level, message) => {
    writeLog(tx, { level, message }, { agent: agent(type), execution_id, run_id: String(run) });
    made.logs += 1;
  };
  const say: Stage['say'] = (tx, type, draft, seconds = 0) => {
    // In the order of the agents' own envelope fields, which the log cuts off.
    store.messages.record(tx, { ...draft, sender: agent(type), ...envelope, timestamp: at(seconds) });
    made.messages += 1;
    if (shape.chatter !== undefined)
      log(
        tx,
        type,
        shape.chatter(made.messages),
        `${draft.msg_type} is message ${made.messages} of the store, said by ${type}`,
      );
  };
  await store.write((tx) => {
    say(tx, 'daq_simulator', { msg_type: 'run_imminent', state: 'beam', substate: 'not_ready' });
    say(tx, 'daq_simulator', { msg_type: 'start_run', state: 'physics' }, 10);
  });
  return { number, run, execution_id, plan: executionParamsSchema.parse(params), shape, agent, say, log };
}

/** Makes an STF with everything that follows from it. Returns the number of slices. */
function generateStf(tx: Transaction, stage: Stage, sequence: number): number {
  const { run, plan, say, log } = stage;
  const filename = stfFilename(run, sequence);
  say(tx, 'daq_simulator', { msg_type: 'stf_gen', filename, sequence, tf_count: 1000, state: 'physics' });
  log(tx, 'daq_simulator', 'INFO', `STF ${sequence} is generated`);
  const checksum = `sha256:${'ab'.repeat(32)}`;
  say(
    tx,
    'data',
    { msg_type: 'stf_ready', filename, sequence, tf_count: 1000, size_bytes: 2_000_000_000, checksum },
    0.2,
  );
  log(tx, 'data', 'INFO', `STF file ${filename} is ready`);
  let slices = 0;
  for (const { tf_filename, tf_first, tf_last, tf_count } of planOf(plan).samples({ run, sequence, tf_count: 1000 })) {
    const sample = { tf_filename, stf_filename: filename, tf_first, tf_last, tf_count };
    say(tx, 'fastmon', { msg_type: 'tf_file_registered', ...sample, size_bytes: 300_000_000 }, 0.4);
    log(tx, 'fastmon', 'INFO', `sample ${tf_filename} holds frames ${tf_first} to ${tf_last}`);
    const planned = planOf(plan).slices(sample);
    log(tx, 'fast_processing', 'INFO', `${planned.length} slices of ${tf_filename} are queued`);
    for (const slice of planned) generateSlice(tx, stage, { ...slice, tf_filename, stf_filename: filename, sequence });
    slices += planned.length;
  }
  return slices;
}

type Slice = PlannedSlice & { tf_filename: string; stf_filename: string; sequence: number };

/** Makes a slice with its attempts. */
function generateSlice(tx: Transaction, { run, plan, shape, agent, say, log }: Stage, slice: Slice): void {
  const { slice_id, slice_filename, tf_filename, stf_filename, sequence, tf_first, tf_last, tf_count } = slice;
  const own = { slice_id, slice_filename, tf_filename };
  const { failures, last } = shape.fateOf(run, sequence, slice_id);
  const workers = plan.fast_processing.target_worker_count;
  const attempts = failures + (last === 'nothing' ? 0 : 1);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const slot = Math.floor(random(run, sequence * 1000 + slice_id * 10 + attempt, 'worker') * workers);
    const worker_id = `${agent('worker')}/${String(slot).padStart(3, '0')}`;
    const begun = 0.5 + attempt * 31;
    const queued = { start: tf_first, end: tf_last, tf_count, attempt };
    say(tx, 'fast_processing', { msg_type: 'slice', ...own, stf_filename, ...queued }, begun - 0.1);
    const isFailed = attempt <= failures;
    if (!isFailed && last === 'waits') continue;
    const worked = { ...own, attempt, worker_id, hostname: 'wn01' };
    say(tx, 'worker', { msg_type: 'slice_started', ...worked }, begun);
    if (!isFailed && last === 'begun') continue;
    const error =
      'PAYLOAD_FAILED: recon ended with exit code 3 after 12.3 s; its last words: segmentation violation in tracker';
    const result = isFailed ? ({ state: 'failed', error } as const) : ({ state: 'done' } as const);
    say(tx, 'worker', { msg_type: 'slice_result', ...worked, ...result, processing_seconds: 30 }, begun + 30);
    if (isFailed)
      log(
        tx,
        'fast_processing',
        attempt === attempts && last === 'nothing' ? 'ERROR' : 'WARNING',
        `slice ${slice_filename} failed in attempt ${attempt} of 4: PAYLOAD_FAILED: recon ended with exit code 3`,
      );
  }
}
