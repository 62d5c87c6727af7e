import type { ExecutionParams } from '../../domain/params.ts';
import { shownCommand, shownSetting } from '../../domain/shown.ts';
import { asObject, objectIn } from '../../lib/read-json.ts';
import { sha256 } from '../../lib/sha256.ts';
import type { ExecutionRow } from '../execution/find-execution.ts';
import { knownParams } from '../execution/params.ts';
import { newestPayload } from '../lists/tf-slices.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf, shortId } from '../migrations/names.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';

type Configuration = ReturnType<typeof plannedConfiguration>;

type KnownConfiguration = { [K in keyof Configuration]?: Configuration[K] | undefined };

const maxShown = 200;

const payloadOf = ({ worker: { payload } }: ExecutionParams) =>
  payload === undefined ? 'placeholder' : `${shownCommand(payload).slice(0, maxShown)} (${markOf(payload)})`;

const shownConfig = 80;

/**
 * The settings of an execution that operators want to see: those in its plan, or those that its runner reported
 * over REST; undefined if there are none. Times are in simulated seconds, except `timeout_seconds`.
 */
export function configurationOf(sql: Prepare, execution: ExecutionRow) {
  const params = knownParams(sql, execution);
  if (params !== undefined) return plannedConfiguration(sql, execution, params);
  return toldConfiguration(recordedParams(sql, execution.execution_id));
}

function plannedConfiguration(sql: Prepare, execution: ExecutionRow, params: ExecutionParams) {
  const { fast_processing, fastmon, daq_state_machine, worker, data } = params;
  return {
    // The name that the user gave; undefined for the default configuration.
    config: configName(sql, execution),
    // The initial speed. A resume may change it: see `drivers`.
    speed: String(params.speed),
    // Per physics period; 0 means as many as fit into it.
    stf_count: fast_processing.stf_count,
    physics_period_count: fast_processing.physics_period_count,
    stf_interval: daq_state_machine.stf_interval,
    stf_sampling_rate: fast_processing.stf_sampling_rate,
    tf_per_stf: daq_state_machine.tf_per_stf,
    tf_samples_per_stf: fastmon.tf_samples_per_stf,
    tf_fraction: fastmon.tf_fraction,
    slices_per_sample: fast_processing.slices_per_sample,
    slice_processing_time: fast_processing.slice_processing_time,
    target_worker_count: fast_processing.target_worker_count,
    // The program, with the digest that the newest slice requires or, before the first slice, with a mark that
    // stands for the whole command; `placeholder` without a program.
    payload: newestPayload(sql, execution.execution_id) ?? payloadOf(params),
    timeout_seconds: worker.payload === undefined ? undefined : worker.timeout_seconds,
    max_retries: worker.max_retries,
    write_files: data.write_files,
  };
}

/** Where a runner's parameters contain a setting: section and key. */
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
  // In prompt processing, the simulation's settings override those with the same names above.
  ['stf_count', 'simulation', 'stf_count'],
  ['physics_period_count', 'simulation', 'physics_period_count'],
  ['stf_interval', 'simulation', 'stf_interval'],
];

/** Settings that are ratios or seconds; all others are counts. */
const fractions = new Set(['stf_interval', 'stf_sampling_rate', 'tf_fraction', 'slice_processing_time']);

const longestName = 80;

/**
 * The settings that the runner of an observed execution reported to its monitor, with the names that swf-mcp
 * uses. Undefined if none were reported. Source: `parameter_values` of POST /api/workflow-executions/.
 */
function toldConfiguration(params: Readonly<Record<string, unknown>>) {
  const section = (name: string) => asObject(params[name]) ?? {};
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

/** The name of a configuration, or the file name if a path was given. */
function configName(sql: Prepare, { execution_id }: ExecutionRow) {
  const config = sql<string | null>(
    `SELECT ${jsonField('body', 'config')} FROM message_rows
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark} AND type_no = ${numberOf(`'run_workflow'`)} AND effect = 'applied' ORDER BY seq LIMIT 1`,
  ).value(execution_id);
  return config?.split('/').at(-1)?.slice(0, shownConfig);
}

/** A recorded setting: a text for people, and a mark that is different for different values. */
type Setting = ReturnType<typeof settingOf>;

function recordedParams(sql: Prepare, executionId: string) {
  const params = sql<string>('SELECT params FROM workflow_executions WHERE execution_id = ?');
  return objectIn(params.value(executionId));
}

/**
 * Every setting in an execution's plan, by dotted key, plus the configuration's name and the program's version.
 */
export function settingsOf(sql: Prepare, execution: ExecutionRow): Map<string, Setting> {
  const params = knownParams(sql, execution);
  if (params === undefined) return new Map();
  const { execution_id } = execution;
  const recorded = recordedParams(sql, execution_id);
  const version = sql<string | null>(
    `SELECT ${jsonField('body', 'version')} FROM message_rows WHERE short_id = ${shortId('?')}`,
  ).value(`${execution_id}/driver_started/1`);
  // Defaults count as settings, so that stores of older and newer versions can be compared.
  const all = { ...recorded, ...withDefaults(params, recorded) };
  const found = new Map(flat(all, '').map(([key, value]) => [key, settingOf(value)] as const));
  const config = configName(sql, execution);
  if (config !== undefined) found.set('config', settingOf(config));
  if (version !== null && version !== undefined) found.set('version', settingOf(version));
  return found;
}

const withDefaults = (params: ExecutionParams, recorded: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(params).map(([section, values]) =>
      typeof values === 'object'
        ? [section, { ...(recorded[section] as object | undefined), ...values }]
        : [section, values],
    ),
  );

const settingOf = (value: unknown) => ({ shown: shownSetting(value).slice(0, maxShown), mark: markOf(value) });

/** A mark that is different for different values but does not reveal the value. */
const markOf = (value: unknown) =>
  sha256()
    .update(JSON.stringify(value) ?? '')
    .digest('hex')
    .slice(0, 6);

function flat(value: unknown, key: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[key, value]];
  return Object.entries(value).flatMap(([name, inner]) => flat(inner, key === '' ? name : `${key}.${name}`));
}
