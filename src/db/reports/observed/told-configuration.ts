import { asObject } from '../../../lib/read-json.ts';
import type { ObservedExecution } from '../../execution/find-execution.ts';
import type { Prepare } from '../../sqlite/statements.ts';
import { type KnownConfiguration, recordedParams } from '../settings.ts';

/** Where a runner's parameters hold a setting: section and key. */
const numbers: readonly [keyof KnownConfiguration, section: string, key: string][] = [
  ['stf_count', 'fast_processing', 'stf_count'],
  ['physics_period_count', 'fast_processing', 'physics_period_count'],
  ['stf_interval', 'daq_state_machine', 'stf_interval'],
  ['stf_sampling_rate', 'fast_processing', 'stf_sampling_rate'],
  ['tf_per_stf', 'fast_processing', 'tf_count_per_stf'],
  ['tf_samples_per_stf', 'fast_processing', 'tf_files_per_stf'],
  ['tf_fraction', 'fast_processing', 'tf_size_fraction'],
  ['slices_per_sample', 'fast_processing', 'slices_per_sample'],
  ['slice_processing_time', 'fast_processing', 'slice_processing_time'],
  ['target_worker_count', 'fast_processing', 'target_worker_count'],
];

/** Ratios or seconds; all other settings are counts. */
const fractions = new Set(['stf_interval', 'stf_sampling_rate', 'tf_fraction', 'slice_processing_time']);

const longestName = 80;

/**
 * The settings that the runner of an observed execution told its monitor, under our names. Undefined if none were told. Source: `parameter_values` of
 * POST /api/workflow-executions/.
 */
export function toldConfiguration(sql: Prepare, { execution_id }: ObservedExecution): KnownConfiguration | undefined {
  const params = recordedParams(sql, execution_id);
  const section = (name: string): Readonly<Record<string, unknown>> => asObject(params[name]) ?? {};
  const { config } = section('workflow');
  const known = [
    ...(typeof config === 'string' ? [['config', config.slice(0, longestName)]] : []),
    ...numbers.flatMap(([name, of, key]) => {
      const value = section(of)[key];
      return isNumber(name, value) ? [[name, value]] : [];
    }),
  ];
  return known.length === 0 ? undefined : (Object.fromEntries(known) as KnownConfiguration);
}

const isNumber = (name: string, value: unknown): value is number =>
  fractions.has(name) ? Number.isFinite(value) : Number.isSafeInteger(value);
