import type { Draft, Message } from '../src/bus/messages.ts';
import { createLogWriter, type LogWriter } from '../src/db/logs.ts';
import { createRecorder, type Recorder } from '../src/db/record.ts';
import { preparer } from '../src/db/statements.ts';
import { openStore, type Store } from '../src/db/store.ts';
import { executionParamsSchema } from '../src/workflow/params.ts';
import { planSamples, planSlices, random, stfFilename } from '../src/workflow/plan.ts';

/** What a generated store holds, and how fast it was made. */
export interface Generated {
  executions: string[];
  messages: number;
  logs: number;
  slices: number;
  seconds: number;
}

/** Sizes of executions, in STFs, that take turns: from a short test to a run of two hours. */
const sizes = [10, 100, 10, 1000, 30, 300, 10, 10_800];

/** STFs whose messages share a commit. */
const batch = 40;

/** One slice in so many fails once, and one in so many for good. */
const failsOnce = 50;
const failsForGood = 2000;

const params = { fast_processing: { slices_per_sample: 15, target_worker_count: 300 } };

/**
 * Fills a store with the shape of real runs, through the same recording and projection as they do: executions of 10 to 10,800
 * STFs at 1.5 Hz one after the other, 15 slices a sample on 300 workers, failures, retries, and log lines with text.
 * @param wanted messages, at least; the last execution is cut where there are enough
 */
export async function generate(
  path: string,
  wanted: number,
  onProgress: (messages: number) => void = () => {},
): Promise<Generated> {
  const store = await openStore(path);
  const recorder = createRecorder(store.db);
  const writeLog = createLogWriter(preparer(store.db), 'INFO');
  const began = performance.now();
  const made: Generated = { executions: [], messages: 0, logs: 0, slices: 0, seconds: 0 };
  // As if all of it had been recorded up to now.
  let clock = Date.now() - (wanted / 48) * 670;
  for (let number = 0; made.messages < wanted; number += 1) {
    const stfs = Math.min(sizes[number % sizes.length] ?? 10, Math.ceil((wanted - made.messages) / 48) + 1);
    clock = await generateExecution({ store, recorder, writeLog }, { number, stfs, clock }, made);
    onProgress(made.messages);
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

async function generateExecution(
  { store, recorder, writeLog }: Writers,
  { number, stfs, clock: start }: { number: number; stfs: number; clock: number },
  made: Generated,
): Promise<number> {
  const plan = executionParamsSchema.parse({
    ...params,
    fast_processing: { ...params.fast_processing, stf_count: stfs },
  });
  const namespace = `ns${number % 8}`;
  let clock = start;
  const at = (seconds: number): string => new Date(clock + seconds * 1000).toISOString();
  const command = await store.write(() =>
    recorder.record({
      msg_type: 'run_workflow',
      command_id: `bench-${number}`,
      sender: 'bench',
      namespace,
      workflow_name: 'stf_datataking',
      params: {
        ...params,
        fast_processing: plan.fast_processing,
        testbed: { namespace },
        data: { write_files: false },
      },
      executed_by: `user${number % 5}`,
      speed: 1,
      timestamp: at(0),
    }),
  );
  const execution_id = command.execution_id ?? '';
  const run = Number(
    execution_id === ''
      ? 0
      : store.db
          .prepare<[string], { run_number: number }>('SELECT run_number FROM runs WHERE execution_id = ?')
          .get(execution_id)?.run_number,
  );
  made.executions.push(execution_id);
  const envelope = { namespace, execution_id, run_id: String(run) };
  const agent = (type: string): string => `${type}-agent-user${number % 5}-${number}`;
  const say = (sender: string, draft: Draft, seconds = 0): void => {
    recorder.record({ ...draft, ...envelope, sender, timestamp: at(seconds) });
    made.messages += 1;
  };
  const log = (name: string, level: 'INFO' | 'WARNING' | 'ERROR', message: string): void => {
    writeLog({ level, message }, { agent: name, execution_id, run_id: String(run) });
    made.logs += 1;
  };
  await store.write(() => {
    say(agent('daq_simulator'), { msg_type: 'run_imminent', state: 'beam', substate: 'not_ready' });
    say(agent('daq_simulator'), { msg_type: 'start_run', state: 'physics' }, 10);
  });
  clock += 12_000;

  const stf = (sequence: number): void => {
    const filename = stfFilename(run, sequence);
    say(agent('daq_simulator'), { msg_type: 'stf_gen', filename, sequence, tf_count: 1000, state: 'physics' });
    log(agent('daq_simulator'), 'INFO', `STF ${sequence} is generated`);
    say(
      agent('data'),
      {
        msg_type: 'stf_ready',
        filename,
        sequence,
        tf_count: 1000,
        size_bytes: 2_000_000_000,
        checksum: `sha256:${'ab'.repeat(32)}`,
      },
      0.2,
    );
    log(agent('data'), 'INFO', `STF file ${filename} is ready`);
    for (const sample of planSamples({ run, sequence, tf_count: 1000 }, plan)) {
      const { tf_filename, tf_first, tf_last, tf_count } = sample;
      say(
        agent('fastmon'),
        {
          msg_type: 'tf_file_registered',
          tf_filename,
          stf_filename: filename,
          tf_first,
          tf_last,
          tf_count,
          size_bytes: 300_000_000,
        },
        0.4,
      );
      log(agent('fastmon'), 'INFO', `sample ${tf_filename} holds frames ${tf_first} to ${tf_last}`);
      const slices = planSlices({ stf_filename: filename, tf_filename, tf_first, tf_count }, 15);
      log(agent('fast_processing'), 'INFO', `${slices.length} slices of ${tf_filename} are queued`);
      for (const { slice_id, slice_filename, tf_first: first, tf_last: last, tf_count: frames } of slices) {
        const own = { slice_id, slice_filename, tf_filename };
        const chance = Math.floor(random(run, sequence * 100 + slice_id, 'fate') * failsForGood);
        const failures = chance === 0 ? 4 : chance % failsOnce === 1 ? 1 : 0;
        made.slices += 1;
        for (let attempt = 1; attempt <= Math.min(4, failures + 1); attempt += 1) {
          const worker_id = `${agent('worker')}/${String(Math.floor(random(run, sequence * 1000 + slice_id * 10 + attempt, 'worker') * 300)).padStart(3, '0')}`;
          const begun = 0.5 + attempt * 31;
          say(
            agent('fast_processing'),
            { msg_type: 'slice', ...own, stf_filename: filename, start: first, end: last, tf_count: frames, attempt },
            begun - 0.1,
          );
          say(agent('worker'), { msg_type: 'slice_started', ...own, attempt, worker_id, hostname: 'wn01' }, begun);
          const isDone = attempt > failures;
          say(
            agent('worker'),
            {
              msg_type: 'slice_result',
              ...own,
              attempt,
              worker_id,
              hostname: 'wn01',
              state: isDone ? 'done' : 'failed',
              processing_seconds: 30,
              ...(isDone
                ? {}
                : {
                    error:
                      'PAYLOAD_FAILED: recon ended with exit code 3 after 12.3 s; its last words: segmentation violation in tracker',
                  }),
            },
            begun + 30,
          );
          if (!isDone)
            log(
              agent('fast_processing'),
              attempt === 4 ? 'ERROR' : 'WARNING',
              `slice ${slice_filename} failed in attempt ${attempt} of 4: PAYLOAD_FAILED: recon ended with exit code 3`,
            );
        }
      }
    }
    clock += 665;
  };
  for (let sequence = 1; sequence <= stfs; sequence += batch) {
    await store.write(() => {
      const before = { ...made, clock };
      // A write may be made again.
      for (let one = sequence; one < Math.min(stfs + 1, sequence + batch); one += 1) stf(one);
      return before;
    });
  }
  await store.write(() =>
    say(agent('daq_simulator'), { msg_type: 'end_run', total_stf_files: stfs, reason: 'completed' }),
  );
  clock += 130_000;
  await store.write(() => {
    const counts = store.db
      .prepare<[number], Message<'workflow_ended'>>(
        `SELECT stfs_announced AS stf_count, tf_files_received, slices_created, slices_queued, slices_processing, slices_completed, slices_failed
         FROM run_states WHERE run_number = ?`,
      )
      .get(run) as Message<'workflow_ended'>;
    say(agent('daq_simulator'), { ...counts, msg_type: 'workflow_ended', status: 'completed', reason: 'completed' });
  });
  return clock;
}
