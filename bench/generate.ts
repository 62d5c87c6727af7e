import { createLogWriter, type LogWriter } from '../src/db/lists/logs.ts';
import { createRecorder, type Recorder } from '../src/db/log/message-writer.ts';
import { openStore, type Store } from '../src/db/sqlite/open-store.ts';
import { preparer } from '../src/db/sqlite/statements.ts';
import { type ExecutionParams, executionParamsSchema } from '../src/domain/params.ts';
import { planSamples, planSlices, random, stfFilename } from '../src/domain/plan.ts';
import type { LogLevel } from '../src/lib/logger.ts';
import type { Draft, Message } from '../src/messages/vocabulary.ts';
import type { Shape } from './shapes.ts';

/** What a generated store holds, and how fast it was made. */
export interface Generated {
  executions: string[];
  messages: number;
  logs: number;
  slices: number;
  seconds: number;
}

/** STFs whose messages share a commit. */
const batch = 20;

/** Fills a store with a shape, through the same recording and projection as runs do. */
export async function generate(path: string, shape: Shape): Promise<Generated> {
  const store = await openStore(path);
  const writers = {
    store,
    recorder: createRecorder(store.db),
    writeLog: createLogWriter(preparer(store.db), 'DEBUG'),
  };
  const began = performance.now();
  const made: Generated = { executions: [], messages: 0, logs: 0, slices: 0, seconds: 0 };
  // As if all of it had been recorded up to now.
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
  recorder: Recorder;
  writeLog: LogWriter;
}

/** One execution while it is made. */
interface Stage {
  number: number;
  run: number;
  plan: ExecutionParams;
  shape: Shape;
  agent: (type: string) => string;
  say: (type: string, draft: Draft, seconds?: number) => void;
  log: (type: string, level: LogLevel, message: string) => void;
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
    await store.write(() => {
      for (let sequence = first; sequence <= last; sequence += 1) {
        made.slices += generateStf(stage, sequence);
        clock += shape.interval * 1000;
      }
    });
  }
  if (shape.isOpen(stage.number)) return clock;
  await store.write(() => say('daq_simulator', { msg_type: 'end_run', total_stf_files: stfs, reason: 'completed' }));
  clock += 130_000;
  await store.write(() => {
    const counts = store.db
      .prepare<[number], Message<'workflow_ended'>>(
        `SELECT stfs_announced AS stf_count, tf_files_received, slices_created, slices_queued, slices_processing, slices_completed, slices_failed
         FROM run_states WHERE run_number = ?`,
      )
      .get(stage.run) as Message<'workflow_ended'>;
    say('daq_simulator', { ...counts, msg_type: 'workflow_ended', status: 'completed', reason: 'completed' });
  });
  return clock;
}

/** Makes the execution and starts its run. */
async function begin(
  { store, recorder, writeLog }: Writers,
  { shape, stfs, clock }: { shape: Shape; stfs: number; clock: () => number },
  made: Generated,
): Promise<Stage> {
  const number = made.executions.length;
  const user = `user${number % 5}`;
  const namespace = `ns${number % 8}`;
  const params = { ...shape.params, fast_processing: { ...shape.params['fast_processing'], stf_count: stfs } };
  const at = (seconds: number): string => new Date(clock() + seconds * 1000).toISOString();
  const command = await store.write(() =>
    recorder.record({
      msg_type: 'run_workflow',
      command_id: `bench-${number}`,
      sender: 'bench',
      namespace,
      workflow_name: 'stf_datataking',
      params: { ...params, testbed: { namespace }, data: { write_files: false } },
      executed_by: user,
      speed: 1,
      timestamp: at(0),
    }),
  );
  made.messages += 1;
  const execution_id = command.execution_id ?? '';
  made.executions.push(execution_id);
  const run = store.db
    .prepare<[string], number>('SELECT run_number FROM runs WHERE execution_id = ?')
    .pluck()
    .get(execution_id) as number;
  const envelope = { namespace, execution_id, run_id: String(run) };
  const agent = (type: string): string => `${type}-agent-${user}-${number}`;
  const log: Stage['log'] = (type, level, message) => {
    writeLog({ level, message }, { agent: agent(type), execution_id, run_id: String(run) });
    made.logs += 1;
  };
  const say: Stage['say'] = (type, draft, seconds = 0) => {
    recorder.record({ ...draft, ...envelope, sender: agent(type), timestamp: at(seconds) });
    made.messages += 1;
    if (shape.chatter !== undefined)
      log(
        type,
        shape.chatter(made.messages),
        `${draft.msg_type} is message ${made.messages} of the store, said by ${type}`,
      );
  };
  await store.write(() => {
    say('daq_simulator', { msg_type: 'run_imminent', state: 'beam', substate: 'not_ready' });
    say('daq_simulator', { msg_type: 'start_run', state: 'physics' }, 10);
  });
  return { number, run, plan: executionParamsSchema.parse(params), shape, agent, say, log };
}

/** An STF with all that is made of it; the number of slices. */
function generateStf(stage: Stage, sequence: number): number {
  const { run, plan, say, log } = stage;
  const filename = stfFilename(run, sequence);
  say('daq_simulator', { msg_type: 'stf_gen', filename, sequence, tf_count: 1000, state: 'physics' });
  log('daq_simulator', 'INFO', `STF ${sequence} is generated`);
  const checksum = `sha256:${'ab'.repeat(32)}`;
  say('data', { msg_type: 'stf_ready', filename, sequence, tf_count: 1000, size_bytes: 2_000_000_000, checksum }, 0.2);
  log('data', 'INFO', `STF file ${filename} is ready`);
  let slices = 0;
  for (const { tf_filename, tf_first, tf_last, tf_count } of planSamples({ run, sequence, tf_count: 1000 }, plan)) {
    const sample = { tf_filename, stf_filename: filename, tf_first, tf_last, tf_count };
    say('fastmon', { msg_type: 'tf_file_registered', ...sample, size_bytes: 300_000_000 }, 0.4);
    log('fastmon', 'INFO', `sample ${tf_filename} holds frames ${tf_first} to ${tf_last}`);
    const planned = planSlices(sample, plan.fast_processing.slices_per_sample);
    log('fast_processing', 'INFO', `${planned.length} slices of ${tf_filename} are queued`);
    for (const slice of planned) generateSlice(stage, { ...slice, tf_filename, stf_filename: filename, sequence });
    slices += planned.length;
  }
  return slices;
}

type Slice = ReturnType<typeof planSlices>[number] & { tf_filename: string; stf_filename: string; sequence: number };

/** A slice with its attempts. */
function generateSlice({ run, plan, shape, agent, say, log }: Stage, slice: Slice): void {
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
    say('fast_processing', { msg_type: 'slice', ...own, stf_filename, ...queued }, begun - 0.1);
    const isFailed = attempt <= failures;
    if (!isFailed && last === 'waits') continue;
    const worked = { ...own, attempt, worker_id, hostname: 'wn01' };
    say('worker', { msg_type: 'slice_started', ...worked }, begun);
    if (!isFailed && last === 'begun') continue;
    const error =
      'PAYLOAD_FAILED: recon ended with exit code 3 after 12.3 s; its last words: segmentation violation in tracker';
    const result = isFailed ? ({ state: 'failed', error } as const) : ({ state: 'done' } as const);
    say('worker', { msg_type: 'slice_result', ...worked, ...result, processing_seconds: 30 }, begun + 30);
    if (isFailed)
      log(
        'fast_processing',
        attempt === attempts && last === 'nothing' ? 'ERROR' : 'WARNING',
        `slice ${slice_filename} failed in attempt ${attempt} of 4: PAYLOAD_FAILED: recon ended with exit code 3`,
      );
  }
}
