import { dirname, isAbsolute } from 'node:path';

import * as z from 'zod';

import { daqSection, fastmonSection, fastProcessingSection, workerSection, workflowSection } from '../domain/params.ts';
import { SwfError } from '../lib/errors.ts';
import { closest } from '../lib/suggest.ts';
import { destinations } from '../messages/vocabulary.ts';
import { type ConfigSources, leafKeys, readLayers } from './layers.ts';
import { payloadWarnings, resolvePayload } from './payload-command.ts';
import { adoptTestbed } from './testbed-compat.ts';
import { isTable, showValue, type Table } from './toml.ts';

/**
 * The configuration of a run (contract §3): read → include → override → check → freeze. The schema holds the only defaults.
 */
const agentSection = z.strictObject({ enabled: z.boolean().default(true) });

const brokerSection = z.strictObject({
  url: z.string().min(1).optional(),
  user: z.string().optional(),
  password: z.string().optional(),
  ca_file: z.string().min(1).optional(),
  heartbeat_seconds: z.number().min(0.5).max(3600).default(30),
  destinations: z
    .strictObject({
      broadcast: z.string().startsWith('/topic/').default(destinations.broadcast),
      slices: z.string().startsWith('/queue/').default(destinations.slices),
      results: z.string().startsWith('/queue/').default(destinations.results),
      control: z.string().startsWith('/queue/').default(destinations.control),
    })
    .prefault({}),
});

export type BrokerSection = z.infer<typeof brokerSection>;

const testbedSection = z.strictObject({
  first_execution_number: z.int().min(1).max(99_999_999).optional(),
  first_run_number: z.int().min(1).max(99_999_999).optional(),
  namespace: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be 1 to 100 letters, digits, ".", "_" or "-"'),
});

const configSchema = z.strictObject({
  testbed: testbedSection,
  workflow: z.strictObject({ ...workflowSection.shape, includes: z.array(z.string()).default([]) }).prefault({}),
  agents: z
    .strictObject({
      data: agentSection.prefault({}),
      fastmon: agentSection.prefault({}),
      fast_processing: agentSection.prefault({}),
      worker: agentSection.prefault({}),
    })
    .prefault({}),
  fast_processing: fastProcessingSection.strict().prefault({}),
  fastmon: fastmonSection.strict().prefault({}),
  daq_state_machine: daqSection.strict().prefault({}),
  worker: workerSection.strict().prefault({}),
  broker: brokerSection.prefault({}),
  data: z.strictObject({ dir: z.string().min(1).optional(), write_files: z.boolean().default(true) }).prefault({}),
});

export type Config = z.infer<typeof configSchema>;

/** That of the shipped file, for files that name none. */
const shippedNamespace = 'torre2';

/** A configuration that has been checked, and what is to be said about it. */
export interface Loaded {
  config: Config;
  /** What was understood and has no effect here. */
  warnings: string[];
  /** Whether the user chose the namespace, or it is that of the shipped file. */
  isOwnNamespace: boolean;
  /** The file that a key came from, or `--set`; a key that is not here has its default. */
  origins: ReadonlyMap<string, string>;
}

/** Reads, checks and freezes a configuration. Throws `CONFIG_NOT_FOUND` or `CONFIG_INVALID`. */
export function loadConfig(sources: ConfigSources): Loaded {
  const { table, origins, path } = readLayers(sources);
  const warnings = adoptTestbed(table, origins);
  const testbed = isTable(table['testbed']) ? table['testbed'] : {};
  const isNamed = testbed['namespace'] !== undefined;
  const checked = checkConfig(
    isNamed ? table : { ...table, testbed: { ...testbed, namespace: shippedNamespace } },
    (key) => origins.get(key) ?? path,
  );
  const namespaceFrom = origins.get('testbed.namespace');
  const isOwnNamespace = isNamed && (namespaceFrom === undefined || dirname(namespaceFrom) !== sources.shippedFolder);
  const { payload } = checked.worker;
  if (payload === undefined) return { config: checked, warnings, isOwnNamespace, origins };
  const payloadFrom = origins.get('worker.payload');
  const folder = payloadFrom === undefined || !isAbsolute(payloadFrom) ? sources.workingFolder : dirname(payloadFrom);
  const command = resolvePayload(payload, folder);
  warnings.push(...payloadWarnings(command));
  const worker = { ...checked.worker, payload: command };
  return { config: deepFreeze({ ...checked, worker }), warnings, isOwnNamespace, origins };
}

/** The recorded configuration of an execution that goes on. */
export function parseRecordedConfig(params: unknown, executionId: string): Config {
  const { speed: _, ...recorded } = params as Table;
  return checkConfig(recorded, () => `the configuration recorded for ${executionId}`);
}

/**
 * A namespace that everybody has who did not choose one is no boundary on a broker that is shared (contract §3).
 * Throws `CONFIG_INVALID`.
 */
export function requireOwnNamespace({ config, isOwnNamespace }: Loaded): void {
  if (isOwnNamespace) return;
  throw new SwfError(
    'CONFIG_INVALID',
    `testbed.namespace = "${config.testbed.namespace}" is that of the shipped file; with a broker give your own with --set testbed.namespace=NAME, or use a file of your own`,
  );
}

/** In one process, an agent that is not started leaves its work undone for ever. Throws `CONFIG_INVALID`. */
export function requireEveryAgent({ agents }: Config): void {
  for (const [type, { enabled }] of Object.entries(agents)) {
    if (enabled) continue;
    throw new SwfError(
      'CONFIG_INVALID',
      `agents.${type}.enabled = false: without a broker nobody else does the work of the ${type} agent; enable it`,
    );
  }
}

function checkConfig(table: Table, originOf: (dottedKey: string) => string): Config {
  const result = configSchema.safeParse(table);
  if (!result.success) throw invalid(result.error, table, originOf);
  const daq = result.data.daq_state_machine;
  if (result.data.fast_processing.stf_count === 0 && daq.stf_interval + daq.stf_generation_time === 0) {
    throw new SwfError(
      'CONFIG_INVALID',
      'fast_processing.stf_count = 0 makes as many STFs as fit in a period, which has no end when stf_interval and stf_generation_time are 0; set one of them',
    );
  }
  if (result.data.worker.payload !== undefined && !result.data.data.write_files) {
    throw new SwfError(
      'CONFIG_INVALID',
      `${originOf('worker.payload')}: worker.payload needs the files that data.write_files = false does not write; leave out one of them`,
    );
  }
  return deepFreeze(result.data);
}

function invalid(error: z.ZodError, table: Table, originOf: (dottedKey: string) => string): SwfError {
  const issue = error.issues[0] as z.core.$ZodIssue;
  const section = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const key = [...issue.path, issue.keys[0]].join('.');
    const near = closest(key, [...knownKeys, ...sectionNames]);
    const hint =
      near === undefined ? `known sections are ${sectionNames.join(', ')}` : `the nearest known key is ${near}`;
    return new SwfError('CONFIG_INVALID', `${originOf(firstLeaf(key, table))}: unknown key ${key}; ${hint}`);
  }
  const value = issue.path.reduce<unknown>(
    (inner, step) => (isTable(inner) || Array.isArray(inner) ? (inner as Table)[String(step)] : undefined),
    table,
  );
  // A password is not shown, however wrong it is.
  const shown = section === 'broker.password' ? '***' : value === undefined ? 'missing' : showValue(value);
  const hint = issue.code === 'invalid_type' && issue.expected === 'string' ? '; write a string in quotes' : '';
  return new SwfError('CONFIG_INVALID', `${originOf(section)}: ${section} = ${shown}: ${issue.message}${hint}`);
}

/** An unknown section is known by the first key in it. */
function firstLeaf(key: string, table: Table): string {
  const value = key.split('.').reduce<unknown>((inner, step) => (isTable(inner) ? inner[step] : undefined), table);
  return isTable(value) ? (leafKeys(value, `${key}.`)[0] ?? key) : key;
}

function keysOf(schema: unknown, prefix = ''): string[] {
  const inner = schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault ? schema.unwrap() : schema;
  if (!(inner instanceof z.ZodObject)) return [prefix.slice(0, -1)];
  return Object.entries(inner.shape).flatMap(([key, value]) => keysOf(value, `${prefix}${key}.`));
}

const sectionNames = Object.keys(configSchema.shape);

/** Every key that a configuration may have, dotted. */
export const knownKeys: readonly string[] = keysOf(configSchema);

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
