import { statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

import * as z from 'zod';

import { destinations } from './bus/messages.ts';
import { SwfError } from './errors.ts';
import { closest } from './nearest.ts';
import { isTable, readToml, showValue, type Table, tomlValue } from './toml.ts';
import {
  daqSection,
  fastmonSection,
  fastProcessingSection,
  workerSection,
  workflowSection,
} from './workflow/params.ts';

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

export interface ConfigSources {
  /** A name (`fast_processing`) or a path; the shipped default where it is left out. */
  name?: string | undefined;
  /** `section.key=value`, as `--set` takes them; later ones win. */
  sets?: readonly string[];
  /** Sections that win over the files, as a message or a tool may give them. */
  overrides?: Readonly<Record<string, unknown>>;
  /** Where `./workflows` is looked for. */
  workingFolder: string;
  /** The files that the package ships. */
  shippedFolder: string;
}

const defaultName = 'fast_processing_default';

/** Reads, checks and freezes a configuration. Throws `CONFIG_NOT_FOUND` or `CONFIG_INVALID`. */
export function loadConfig(sources: ConfigSources): Config {
  const path = findConfig(sources);
  const origins = new Map<string, string>();
  const main = readToml(path);
  const merged = mergeIncludes(main, path, origins);
  if (sources.overrides !== undefined) {
    mergeInto(merged, sources.overrides);
    for (const key of leafKeys(sources.overrides)) origins.set(key, 'the request');
  }
  for (const set of sources.sets ?? []) applySet(merged, set, origins);
  const named = isTable(main['testbed']) && main['testbed']['namespace'] !== undefined;
  if (!named && origins.get('testbed.namespace') !== '--set') {
    throw new SwfError(
      'CONFIG_INVALID',
      `${path} has no [testbed] namespace; add it, or give --set testbed.namespace=NAME`,
    );
  }
  return checkConfig(merged, (key) => origins.get(key) ?? path);
}

/** The recorded configuration of an execution that goes on. */
export function parseRecordedConfig(params: unknown, executionId: string): Config {
  const { speed: _, ...recorded } = params as Table;
  return checkConfig(recorded, () => `the configuration recorded for ${executionId}`);
}

/**
 * A namespace that everybody who did not choose one has is no boundary on a broker that is shared (contract §3).
 * Throws `CONFIG_INVALID`.
 */
export function requireOwnNamespace(
  config: Config,
  { name, sets = [], workingFolder, shippedFolder }: ConfigSources,
): void {
  const isSet = sets.some((set) => /^\s*testbed\.namespace\s*=/.test(set));
  if (
    isSet ||
    dirname(findConfig({ ...(name === undefined ? {} : { name }), workingFolder, shippedFolder })) !== shippedFolder
  )
    return;
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

function findConfig({ name = defaultName, workingFolder, shippedFolder }: ConfigSources): string {
  const asPath = isAbsolute(name) ? name : resolve(workingFolder, name);
  if (name.includes('/') || isFile(asPath)) {
    if (isFile(asPath)) return asPath;
    throw new SwfError('CONFIG_NOT_FOUND', `there is no configuration file ${asPath}; check the path`);
  }
  const candidates = [name, `${name}.toml`, `${name}_default.toml`];
  const folders = [join(workingFolder, 'workflows'), shippedFolder];
  for (const folder of folders) {
    for (const candidate of candidates) {
      const path = join(folder, candidate);
      if (isFile(path)) return path;
    }
  }
  throw new SwfError(
    'CONFIG_NOT_FOUND',
    `there is no configuration ${JSON.stringify(name)}: no ${candidates.join(', ')} in ./workflows or among the shipped files; name a file, or leave the name out for ${defaultName}`,
  );
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** The file with its includes under it: the including file wins, a later include wins over an earlier one. */
function mergeIncludes(table: Table, path: string, origins: Map<string, string>, including: string[] = []): Table {
  if (including.includes(path)) {
    throw new SwfError(
      'CONFIG_INVALID',
      `${path} includes itself (${[...including, path].join(' → ')}); take one include out`,
    );
  }
  const merged: Table = {};
  for (const include of includesOf(table, path)) {
    const includePath = resolve(dirname(path), include);
    const included = mergeIncludes(readToml(includePath), includePath, origins, [...including, path]);
    mergeInto(merged, included);
  }
  mergeInto(merged, table);
  for (const key of leafKeys(table)) origins.set(key, path);
  return merged;
}

function includesOf(table: Table, path: string): string[] {
  const workflow = table['workflow'];
  const includes = isTable(workflow) ? workflow['includes'] : undefined;
  if (includes === undefined) return [];
  if (Array.isArray(includes) && includes.every((item) => typeof item === 'string')) return includes;
  throw new SwfError(
    'CONFIG_INVALID',
    `${path}: workflow.includes is not a list of file names; write includes = ["file.toml"]`,
  );
}

function mergeInto(target: Table, source: Table): void {
  for (const [key, value] of Object.entries(source)) {
    const before = Object.hasOwn(target, key) ? target[key] : undefined;
    if (isTable(before) && isTable(value)) mergeInto(before, value);
    else target[key] = isTable(value) ? structuredClone(value) : value;
  }
}

function leafKeys(table: Table, prefix = ''): string[] {
  return Object.entries(table).flatMap(([key, value]) =>
    isTable(value) ? leafKeys(value, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
}

function applySet(table: Table, set: string, origins: Map<string, string>): void {
  const match = /^\s*([A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)+)\s*=(.*)$/s.exec(set);
  if (match === null) {
    throw new SwfError(
      'CONFIG_INVALID',
      `--set ${JSON.stringify(set)} is not section.key=value; write for example --set fast_processing.stf_count=3`,
    );
  }
  const [, given = '', text = ''] = match;
  if (given === 'workflow.includes') {
    throw new SwfError(
      'CONFIG_INVALID',
      `--set ${JSON.stringify(set)}: files are included before keys are set; write includes into a file of your own`,
    );
  }
  const dotted = given === movedPeriodCount.from ? movedPeriodCount.to : given;
  const path = dotted.split('.');
  const key = path.pop() as string;
  let section = table;
  for (const name of path) {
    if (!Object.hasOwn(section, name)) section[name] = {};
    if (!isTable(section[name])) {
      throw new SwfError(
        'CONFIG_INVALID',
        `--set ${JSON.stringify(set)}: ${name} = ${showValue(section[name])} is no section; mend that first`,
      );
    }
    section = section[name];
  }
  section[key] = tomlValue(text.trim());
  origins.set(dotted, '--set');
}

function checkConfig(table: Table, originOf: (dottedKey: string) => string): Config {
  const result = configSchema.safeParse(withPeriodCount(table));
  if (!result.success) throw invalid(result.error, table, originOf);
  const daq = result.data.daq_state_machine;
  if (result.data.fast_processing.stf_count === 0 && daq.stf_interval + daq.stf_generation_time === 0) {
    throw new SwfError(
      'CONFIG_INVALID',
      'fast_processing.stf_count = 0 makes as many STFs as fit in a period, which has no end when stf_interval and stf_generation_time are 0; set one of them',
    );
  }
  return deepFreeze(result.data);
}

/** One key has two places; what `--set` says of either must win over a file that has the other. */
const movedPeriodCount = { from: 'daq_state_machine.physics_period_count', to: 'fast_processing.physics_period_count' };

/** `physics_period_count` may also stand under `[daq_state_machine]`, where the testbed has it; `[fast_processing]` wins. */
function withPeriodCount(table: Table): Table {
  const daq = table['daq_state_machine'];
  if (!isTable(daq) || !Object.hasOwn(daq, 'physics_period_count')) return table;
  const { physics_period_count, ...rest } = daq;
  const own = isTable(table['fast_processing']) ? table['fast_processing'] : {};
  return { ...table, daq_state_machine: rest, fast_processing: { physics_period_count, ...own } };
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
  const value = issue.path.reduce<unknown>((inner, step) => (isTable(inner) ? inner[String(step)] : undefined), table);
  const shown = value === undefined ? 'missing' : showValue(value);
  return new SwfError('CONFIG_INVALID', `${originOf(section)}: ${section} = ${shown}: ${issue.message}`);
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
