import type { MessageLine } from '../../src/observed/recording-lines.ts';

/** A run as programs of the testbed would make it, and the truth about it. */
export interface MadeRun {
  lines: MessageLine[];
  truth: {
    told_id: string;
    run_id: string;
    stf_count: number;
    tf_files_received: number;
    tf_files_sliced: number;
    slices_sent: number;
    slices_completed: number;
    slices_failed: number;
    slices_unanswered: number;
    results_repeated: number;
    results_unmatched: number;
    without_execution: number;
    hasEnded: boolean;
  };
}

interface Wanted {
  seed: number;
  dialect?: 'H' | 'F';
  run?: number;
  namespace?: string;
  stfs?: number;
  /** Milliseconds since 1970. */
  start?: number;
}

/** Numbers from 0 to 1 that are the same for the same seed. */
export function dice(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) >>> 0;
    state = (state ^ (state >>> 13)) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Makes a run: late slices without `execution_id`, repeated results, failures that name their slice or do not, sizes that change, slices without an answer,
 * results that fit no slice, and stopped runs, depending on the seed.
 */
export function makeRun({ seed, run = 100_000 + seed, namespace = 'epic', ...wanted }: Wanted): MadeRun {
  const roll = dice(seed);
  const dialect = wanted.dialect ?? (roll() < 0.5 ? 'H' : 'F');
  const stfs = wanted.stfs ?? 1 + Math.floor(roll() * 4);
  const hasEnded = roll() < 0.7;
  const [failing, deaf, repeating] = [roll() * 0.3, roll() * 0.2, roll() * 0.3];
  const told_id = `stf_datataking-user-${String(seed).padStart(4, '0')}`;
  const run_id = String(run);
  const lines: MessageLine[] = [];
  const truth: MadeRun['truth'] = {
    told_id,
    run_id,
    stf_count: stfs,
    tf_files_received: 0,
    tf_files_sliced: 0,
    slices_sent: 0,
    slices_completed: 0,
    slices_failed: 0,
    slices_unanswered: 0,
    results_repeated: 0,
    results_unmatched: 0,
    without_execution: 0,
    hasEnded,
  };
  let now = wanted.start ?? 1_795_770_000_000;
  const say = (topic: string, body: object, headers: Record<string, string> = {}): void => {
    now += 1 + Math.floor(roll() * 400);
    lines.push({
      t: new Date(now + 5).toISOString(),
      destination: `/topic/${topic}`,
      headers: { timestamp: String(now), ...headers },
      body,
    });
  };
  const base = (msg_type: string) => ({ msg_type, namespace, execution_id: told_id, run_id });
  const told = { namespace, run_id };
  /** As their programs write it: to the microsecond, H without a zone. */
  const stamp = (n: number): string =>
    `${new Date(now).toISOString().slice(0, -1)}${String(n % 1000).padStart(3, '0')}${dialect === 'F' ? '+00:00' : ''}`;
  let made = 0;
  const slice = (stf: string, tf: string, slice_id: number, isLate: boolean): void => {
    const states = [attempt(stf, tf, slice_id, isLate)];
    // Sometimes it is sent again, with another id.
    if (roll() < 0.1) states.push(attempt(stf, tf, slice_id, isLate));
    const state = states.includes('completed') ? 'completed' : (states.at(-1) ?? 'unanswered');
    truth[`slices_${state}`] += 1;
    truth.slices_sent += 1;
  };
  const attempt = (
    stf: string,
    tf: string,
    slice_id: number,
    isLate: boolean,
  ): 'completed' | 'failed' | 'unanswered' => {
    made += 1;
    const created_at = stamp(made);
    const size = isLate && dialect === 'H' ? 1 : 20;
    const content = {
      run_id,
      execution_id: isLate ? null : told_id,
      req_id: `req-${seed}-${made}`,
      filename: stf,
      tf_filename: dialect === 'H' ? tf.replace('.tf', `_slice_${String(slice_id).padStart(3, '0')}.tf`) : tf,
      ...(dialect === 'F' ? { tf_file_id: `id-${tf}`, tf_slice_id: made } : {}),
      slice_id,
      start: slice_id * 20,
      end: slice_id * 20 + size - 1,
      tf_count: size,
      state: 'queued',
      substate: 'new',
    };
    say(
      'panda.slices',
      { msg_type: 'slice', run_id, created_at, content, sender: `fpa-${seed}`, namespace },
      { ...told, msg_type: 'slice' },
    );
    if (isLate) truth.without_execution += 1;
    if (roll() < deaf) return 'unanswered';
    const isFailed = roll() < failing;
    result(content, created_at, isFailed);
    if (roll() < repeating) {
      result(content, created_at, isFailed);
      truth.results_repeated += 1;
    }
    return isFailed ? 'failed' : 'completed';
  };
  const result = (content: object, requested_at: string | null, isFailed: boolean): void => {
    const started = new Date(now).toISOString().slice(0, -1);
    const worker = `w.${Math.floor(roll() * 3)}`;
    const echo =
      dialect === 'H'
        ? isFailed
          ? null
          : { ...content, state: 'processed', actual_processing_time: 0.1 }
        : {
            origin_message: content,
            state: isFailed ? 'failed' : 'processed',
            metrics: isFailed ? null : { actual_processing_time: 0.1 },
          };
    const body = {
      msg_type: 'slice_result',
      run_id,
      created_at: stamp(made),
      content: {
        requested_at,
        processing_start_at: started,
        processed_at: `${new Date(now + 50).toISOString().slice(0, -1)}${String(Math.floor(roll() * 1000)).padStart(3, '0')}`,
        state: isFailed ? 'failed' : 'done',
        hostname: `host-${worker}`,
        panda_task_id: '1',
        panda_id: String(Math.floor(roll() * 100)),
        result: { state: !isFailed, result: echo, error: isFailed ? 'exit 1' : null },
      },
    };
    say('panda.results', body, { ...told, 'client-id': worker, msg_type: 'slice_result' });
  };
  const makeStf = (sequence: number): void => {
    const stf = `swf.${run}.${String(sequence).padStart(6, '0')}.stf`;
    const isLate = hasEnded && sequence === stfs;
    say('epictopic', { ...base('stf_gen'), filename: stf, sequence, state: 'run', sender: `daq-${seed}` });
    if (isLate) say('epictopic', { ...base('end_run'), total_stf_files: stfs, sender: `daq-${seed}` });
    const typed = dialect === 'F' ? { file_type: null, tf_count: null } : {};
    say('epictopic', {
      msg_type: 'stf_ready',
      namespace,
      ...typed,
      filename: stf,
      run_id,
      checksum: null,
      sequence,
      sender: `data-${seed}`,
    });
    for (let n = 1; n <= 3; n += 1) {
      const tf = `${stf.slice(0, -4)}_tf_${dialect === 'F' ? `${run}_` : ''}00${n}.tf`;
      const announced = dialect === 'H' ? tf : `${stf.slice(0, -4)}_tf_00${n}.tf`;
      say('epictopic', {
        ...base('tf_file_registered'),
        execution_id: null,
        tf_filename: announced,
        stf_filename: stf,
        tf_first: 0,
        tf_last: 59,
        tf_count: 60,
        sender: `fastmon-${seed}`,
      });
      truth.tf_files_received += 1;
      const slices = 1 + Math.floor(roll() * 3);
      for (let id = 0; id < slices; id += 1) slice(stf, tf, id, isLate);
      truth.tf_files_sliced += 1;
    }
  };
  say('epictopic', { ...base('run_imminent'), simulation_tick: 5, state: 'beam', sender: `daq-${seed}` });
  say(
    'panda.workers',
    {
      msg_type: 'run_imminent_worker',
      run_id,
      content: {
        execution_id: told_id,
        worker_rampup_time: 300,
        ...(dialect === 'F' ? { memory_per_core: 1000 } : {}),
      },
      sender: `fpa-${seed}`,
      namespace,
    },
    told,
  );
  say('epictopic', { ...base('start_run'), state: 'run', sender: `daq-${seed}` });
  for (let sequence = 1; sequence <= stfs; sequence += 1) makeStf(sequence);
  if (roll() < 0.3) {
    result(
      { req_id: `foreign-${seed}`, tf_filename: 'x.tf', slice_id: 0 },
      `never-${seed}`,
      dialect === 'H' ? roll() < 0.5 : false,
    );
    truth.results_unmatched += 1;
  }
  return { lines, truth };
}

/** The same lines in another order. */
export function shuffled<T>(lines: readonly T[], seed: number): T[] {
  const roll = dice(seed);
  return lines
    .map((line) => ({ line, at: roll() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ line }) => line);
}
