import type { Queries } from '../db/queries.ts';
import { float, int, object, optionalBoolean, strings } from '../domain/fields.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { type PlayedRun, playRun } from '../domain/plan/played-run.ts';
import { argumentInvalid } from '../lib/errors.ts';
import { rounded } from '../lib/rounded.ts';
import { asPlayedAnswer, playedAgain } from './plan/as-played.ts';
import { inTurns } from './shared/in-steps.ts';
import { defineLiveTool, executionId, givenParameters, integer, number, text } from './shared/tool.ts';

/**
 * The bytes that a message takes in the store, including the rows derived from it, and the size of an empty
 * store.
 */
const [bytesAMessage, emptyStore] = [800, 345_000];

const plannedAnswer = () =>
  object({
    stf_files: int,
    tf_files: int,
    slices: int,
    messages: int,
    store_bytes: int,
    data_bytes: int,
    daq_seconds: float,
    total_seconds: float,
    target_worker_count: int,
    workers_needed: int.describe('To keep up while STFs arrive'),
    worker_use: float.describe('Fraction of the workers’ time, 0 to 1'),
    longest_wait_seconds: float.describe('Longest time a slice waited for a worker'),
  });

export const planRunTool = defineLiveTool({
  name: 'plan_run',
  title: 'Plan a run',
  description:
    'How a run would go: files, slices, bytes, duration, whether the workers keep up. For a configuration (default: the shipped one) or ' +
    'an execution, with changes: would 100 workers suffice for slices of 45 s? With as_played: would 20 workers have sufficed?',
  takesLong: () => true,
  input: () => ({
    config: text('Name of a configuration, such as histogram'),
    execution_id: executionId,
    target_worker_count: integer(1, 10_000, 'Worker slots'),
    slice_processing_time: number('Seconds per slice'),
    stf_sampling_rate: number('0 to 1'),
    stf_interval: number('Seconds between STFs'),
    stf_count: integer(0, 1e9, 'STFs per physics period; 0: as many as fit'),
    slices_per_sample: integer(1, 10_000, 'TF slices per sample'),
    as_played: optionalBoolean.describe('Replay execution_id; slice_processing_time then multiplies slice times'),
    without_worker: text('With as_played: leave out this worker'),
    without_host: text('With as_played: leave out this host'),
  }),
  output: () => plannedAnswer().partial().extend({ assumptions: strings, as_played: asPlayedAnswer().optional() }),
  async perform({ as_played = false, without_worker, without_host, config, execution_id, ...changes }, context) {
    const left = { without_worker, without_host };
    if (as_played) {
      // The slices are replayed as measured, so settings that determine them cannot be changed.
      const { stf_count, stf_interval, slices_per_sample, ...others } = changes;
      refuse(
        { config, stf_count, stf_interval, slices_per_sample },
        'cannot be changed with as_played, which replays the slices of the run with their measured times; leave out one of the two',
      );
      if (execution_id === undefined)
        throw argumentInvalid('as_played needs the execution_id of the run to replay, such as "latest"');
      return playedAgain(context, execution_id, { ...others, ...left });
    }
    refuse(left, 'leaves out a worker of a replayed execution; also give as_played=true');
    if (config !== undefined && execution_id !== undefined)
      throw argumentInvalid('config and execution_id are both given; give one of them');
    const base = execution_id === undefined ? undefined : knownRun(context.queries(), execution_id);
    const measured = changes.slice_processing_time === undefined ? base?.measured : undefined;
    const params = withChanges(base?.params ?? (await context.services()).plannedParams(config), {
      ...changes,
      ...(measured === undefined ? {} : { slice_processing_time: measured.seconds }),
    });
    return planOf(params, await inTurns(playRun(params)), measured && measuredWords(measured, changes));
  },
});

const measuredWords = ({ slices }: { slices: number }, changes: { slices_per_sample?: number | undefined }) =>
  `, the average of the ${slices} completed slices${changes.slices_per_sample === undefined ? '' : '; slices of another size may take more or less time'}`;

/** How many slices must be done before their mean is more reliable than the configuration. */
const enoughSlices = 5;

/**
 * The parameters of an execution; if a payload command processes its slices, also how long a slice took on
 * average, in simulated seconds.
 */
function knownRun(queries: Queries, id: string) {
  const execution = queries.execution(id);
  const params = queries.executionParams(execution);
  const done = queries.stageDelays(execution).find(({ stage }) => stage === 'slice_started → slice_result');
  if (params.worker.payload === undefined || params.speed === 'max' || done === undefined || done.items < enoughSlices)
    return { params };
  return { params, measured: { seconds: rounded(done.mean * params.speed, 3), slices: done.items } };
}

/** Throws `ARGUMENT_INVALID` if one of these arguments is given. */
function refuse(values: Readonly<Record<string, unknown>>, why: string) {
  const [name] = Object.entries(values).find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined) throw argumentInvalid(`${name} ${why}`);
}

const withChanges = (base: ExecutionParams, changes: Parameters<typeof givenParameters>[0]) =>
  givenParameters(changes).reduce(
    (params, { section, name, value }) => ({ ...params, [section]: { ...params[section], [name]: value } }),
    base,
  );

/**
 * The answer for given parameters. Seconds are simulated time, which is wall time at speed 1.
 * @param serviceWords says where the processing time of a slice comes from, if not from the configuration
 */
export const planOf = (params: ExecutionParams, run: PlayedRun, serviceWords?: string) => ({
  stf_files: run.stf_files,
  tf_files: run.tf_files,
  slices: run.slices,
  messages: run.messages,
  store_bytes: emptyStore + run.messages * bytesAMessage,
  data_bytes: run.data_bytes,
  daq_seconds: rounded(run.daq_seconds, 1),
  total_seconds: rounded(run.total_seconds, 1),
  target_worker_count: params.fast_processing.target_worker_count,
  workers_needed: run.workers_needed,
  worker_use: rounded(run.worker_use, 3),
  longest_wait_seconds: rounded(run.longest_wait, 1),
  assumptions: assumptionsOf(params, run, serviceWords),
});

const assumptionsOf = (
  { worker, speed, fast_processing }: ExecutionParams,
  { isEndless }: PlayedRun,
  serviceWords = worker.payload === undefined ? '' : ', as configured; the payload may take more or less time',
) => [
  `each slice takes ${fast_processing.slice_processing_time} s${serviceWords}`,
  'no slice fails or is retried, the run is not paused, and files are written as fast as STFs arrive',
  ...(isEndless ? ['the run continues until it is stopped: these figures are for its first physics period'] : []),
  ...(speed === 1
    ? []
    : [
        speed === 'max'
          ? 'times are in simulated seconds; the run is as fast as the machine allows'
          : `times are in simulated seconds, which pass ${speed} times as fast as wall time`,
      ]),
  `a message takes ${bytesAMessage} bytes in the store (measured)`,
];
