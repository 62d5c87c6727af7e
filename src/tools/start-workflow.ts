import { object, optionalInt, optionalString, string } from '../domain/fields.ts';
import { speedSchema } from '../domain/params.ts';
import { argumentInvalid, SwfError } from '../lib/errors.ts';
import { present } from '../lib/present.ts';
import type { Control } from './shared/services.ts';
import {
  defineLiveTool,
  givenParameters,
  integer,
  type LiveContext,
  number,
  text,
  textOrNumber,
} from './shared/tool.ts';

export const startWorkflowTool = defineLiveTool({
  name: 'start_workflow',
  title: 'Start a run',
  description:
    'Starts a run in a separate process, which outlives this server, and returns its execution_id immediately: follow it with wait_for_execution. ' +
    'Without arguments: 10 STFs in real time, about three minutes.',
  input: () => ({
    config: text('Name of a configuration, such as histogram'),
    namespace: text('Observed testbed in which to request a run'),
    speed: textOrNumber(20, 'Speed factor (1: real time), or "max"'),
    stf_count: integer(0, 1e9, 'STFs per physics period; 0: as many as fit'),
    physics_period_count: integer(1, 1e9, 'Physics periods'),
    target_worker_count: integer(1, 10_000, 'Worker slots'),
    stf_sampling_rate: number('0 to 1'),
    slices_per_sample: integer(1, 10_000, 'TF slices per sample'),
    slice_processing_time: number('Seconds per slice'),
    tf_samples_per_stf: integer(1, 999, 'TF samples per STF'),
    tf_fraction: number('Fraction of the frames to sample'),
    stf_interval: number('Seconds between STFs'),
    standby_duration: number('Seconds between periods'),
    physics_period_duration: number('Seconds per period, if stf_count is 0'),
  }),
  output: () =>
    object({
      execution_id: optionalString,
      run_number: optionalInt,
      pid: optionalInt,
      ...testbedAnswer(),
      next: string,
    }),
  writes: { destructive: false, idempotent: false },
  async perform({ config, speed, namespace, ...given }, context) {
    const settings = Object.fromEntries(
      givenParameters(given).map(({ section, name, value }) => [`${section}.${name}`, value]),
    );
    const request = { by: context.caller(), config, speed: speedOf(speed), settings };
    if (namespace !== undefined) {
      const answer = await controlOf(context).startTheirs(namespace, request);
      const next =
        answer.heard_as === undefined ? 'list_workflow_executions(origin="observed")' : watchCall(answer.heard_as);
      return present({ execution_id: answer.heard_as, ...answer, next });
    }
    const started = await controlOf(context).start(request);
    return { ...started, next: watchCall(started.execution_id) };
  },
});

const watchCall = (id: string) => `wait_for_execution(execution_id="${id}")`;

/** The fields of the answer if others run the testbed. */
export const testbedAnswer = () => ({
  asked_at: optionalString,
  sent_at: optionalString,
  heard_as: optionalString,
  not_taken_after: optionalString,
});

function speedOf(speed: string | undefined): number | 'max' | undefined {
  if (speed === undefined || speed === 'max') return speed;
  const result = speedSchema.safeParse(/^\d+(\.\d+)?$/.test(speed) ? Number(speed) : undefined);
  if (result.success && result.data !== 'max') return result.data;
  throw argumentInvalid(`speed = ${JSON.stringify(speed)}: give a number from 0.001 to 1000000, or "max"`);
}

/** The control over executions. A server without it does not offer the tools that need it. */
export function controlOf({ control }: LiveContext): Control {
  if (control === undefined)
    throw new SwfError('TOOL_NOT_FOUND', 'this server may not change anything; start it with --allow-control');
  return control;
}
