import { resolve } from 'node:path';

import { configNamePattern, usualConfiguration } from '../domain/names.ts';
import { openSectionOf, openSections } from '../domain/params.ts';
import { configInvalid } from '../lib/errors.ts';
import { nearest } from '../lib/suggest.ts';
import { type ConfigPlaces, findConfig, findInclude, findTestbedFile, isFile } from './find-files.ts';
import { isTable, readToml, showValue, type Table, tomlValue } from './toml.ts';

/**
 * The sources of a configuration, in order of increasing precedence: included files, the files that include
 * them, the environment, a request, flags.
 */
export interface ConfigSources extends ConfigPlaces {
  /** A name (`fast_processing`) or a path; the shipped default if left out. */
  name?: string | undefined;
  /** `section.key=value`, as in `--set`; later ones win. */
  sets?: readonly string[];
  /** Sections from a message or a tool; they override the files. */
  overrides?: Readonly<Record<string, unknown>>;
  /** A file of overrides, as in the testbed: `SWF_TESTBED_CONFIG`. */
  testbedFile?: string | undefined;
}

/** This key exists in two sections; `--set` for either must win over a file that sets the other. */
const movedPeriodCount = { from: 'daq_state_machine.physics_period_count', to: 'fast_processing.physics_period_count' };

/**
 * Merges all layers into one table and records the file or flag that each key came from. Throws
 * `CONFIG_NOT_FOUND` or `CONFIG_INVALID`.
 */
export function readLayers(sources: ConfigSources) {
  const origins: Origins = new Map();
  const path = findConfig(sources.name ?? usualConfiguration, sources);
  const table = mergeIncludes(path, origins, sources);
  if (sources.testbedFile !== undefined && sources.testbedFile !== '') {
    const file = findTestbedFile(sources.testbedFile, sources);
    const overrides = readToml(file);
    mergeInto(table, overrides);
    for (const key of leafKeys(overrides)) origins.set(key, file);
  }
  if (sources.overrides !== undefined) {
    mergeInto(table, sources.overrides);
    for (const key of leafKeys(sources.overrides)) origins.set(key, 'the request');
  }
  for (const set of sources.sets ?? []) applySet(table, set, origins);
  return { table, origins, path };
}

/** Merges a file with its includes: the including file wins, and a later include wins over an earlier one. */
function mergeIncludes(path: string, origins: Origins, places: ConfigPlaces, including: string[] = []) {
  if (including.includes(path))
    throw configInvalid(`${path} includes itself (${[...including, path].join(' → ')}); remove one include`);
  const table = readToml(path);
  const merged: Table = {};
  for (const include of includedPaths(table, path, places))
    mergeInto(merged, mergeIncludes(include, origins, places, [...including, path]));
  mergeInto(merged, table);
  for (const key of leafKeys(table)) origins.set(key, path);
  return merged;
}

/**
 * The files that a file overrides: its includes and, with lowest precedence, the file that the testbed's
 * `[workflow] config` names.
 */
function includedPaths(table: Table, path: string, places: ConfigPlaces) {
  const { config, includes = [] } = isTable(table['workflow']) ? table['workflow'] : {};
  const named = typeof config === 'string' ? [findConfig(config, places)] : [];
  if (Array.isArray(includes) && includes.every((item) => typeof item === 'string'))
    return [...named, ...includes.map((include) => findInclude(include, path, places))];
  throw configInvalid(`${path}: workflow.includes is not a list of file names; write includes = ["file.toml"]`);
}

function mergeInto(target: Table, source: Table) {
  for (const [key, value] of Object.entries(source)) {
    const before = Object.hasOwn(target, key) ? target[key] : undefined;
    if (isTable(before) && isTable(value)) mergeInto(before, value);
    else target[key] = isTable(value) ? structuredClone(value) : value;
  }
}

/** The dotted keys of all values in a table. */
export const leafKeys = (table: Table, prefix = ''): string[] =>
  Object.entries(table).flatMap(([key, value]) =>
    isTable(value) ? leafKeys(value, `${prefix}${key}.`) : [`${prefix}${key}`],
  );

function applySet(table: Table, set: string, origins: Origins) {
  const match = /^\s*([A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)+)\s*=(.*)$/s.exec(set);
  if (match === null)
    throw configInvalid(
      `--set ${JSON.stringify(set)} is not section.key=value; write for example --set fast_processing.stf_count=3`,
    );
  const [, given = '', text = ''] = match;
  if (given === 'workflow.includes' || given === 'workflow.config')
    throw configInvalid(
      `--set ${JSON.stringify(set)}: files are read before --set applies; write it into your own file`,
    );
  const dotted = given === movedPeriodCount.from ? movedPeriodCount.to : given;
  const path = dotted.split('.');
  const key = path.pop() as string;
  let section = table;
  for (const name of path) {
    if (!Object.hasOwn(section, name)) section[name] = {};
    if (!isTable(section[name]))
      throw configInvalid(
        `--set ${JSON.stringify(set)}: ${name} = ${showValue(section[name])} is not a section; fix that first`,
      );
    section = section[name];
  }
  section[key] = tomlValue(text.trim());
  origins.set(dotted, '--set');
}

/**
 * The testbed's own files load unchanged. Keys that swf-mcp keeps in another section are moved; keys that
 * have no effect here are removed and reported.
 */
const bundledAgents: ReadonlySet<string> = new Set(['daq_simulator', 'data', 'fastmon', 'fast_processing', 'worker']);

/** Keys of the testbed's `[fast_processing]` that are known but have no effect here. */
const idleKeys = ['worker_rampup_time', 'worker_rampdown_time', 'num_tf_per_slice'];

/** The section to which each key of `[simulation]` belongs here. */
const simulationKeys = {
  stf_count: 'fast_processing',
  physics_period_count: 'fast_processing',
  physics_period_duration: 'daq_state_machine',
  stf_interval: 'daq_state_machine',
  realtime: 'workflow',
} as const;

/** Where each key came from, by its dotted name. */
type Origins = Map<string, string>;

/** Converts the table and the names in `origins` in place. Returns warnings for the user. */
export function adoptTestbed(table: Table, origins: Origins) {
  const warnings = adoptAgents(table);
  const { fast_processing, workflow, simulation, parameters } = table;
  for (const key of idleKeys) {
    if (!isTable(fast_processing) || !Object.hasOwn(fast_processing, key)) continue;
    warnings.push(`fast_processing.${key} has no effect here`);
    delete fast_processing[key];
  }
  // The file that `[workflow] config` names has already been merged.
  if (isTable(workflow)) delete workflow['config'];
  for (const [key, section] of Object.entries(simulationKeys)) moveKey(table, origins, key, ['simulation', section]);
  // The remaining keys are unknown and will be refused.
  if (isTable(simulation) && Object.keys(simulation).length === 0) delete table['simulation'];
  // In the testbed, this key may be in either of these sections.
  moveKey(table, origins, 'physics_period_count', ['daq_state_machine', 'fast_processing']);
  if (isTable(parameters)) {
    if (Object.keys(parameters).length > 0) warnings.push('[parameters] has no effect here; use --set');
    delete table['parameters'];
  }
  return warnings;
}

function adoptAgents(table: Table) {
  const { agents } = table;
  if (!isTable(agents)) return [];
  const warnings: string[] = [];
  for (const [name, settings] of Object.entries(agents)) {
    if (!isTable(settings)) continue;
    // `script` names one of the testbed's own programs.
    delete settings['script'];
    if (bundledAgents.has(name)) continue;
    warnings.push(`agents.${name} is not bundled with swf-mcp and is not started`);
    delete agents[name];
  }
  return warnings;
}

/** Moves a key from one section to another; a value that is already set there wins. */
function moveKey(table: Table, origins: Origins, key: string, [from, to]: readonly [string, string]) {
  const source = table[from];
  if (!isTable(source) || !Object.hasOwn(source, key)) return;
  const home = isTable(table[to]) ? table[to] : {};
  if (!Object.hasOwn(home, key)) {
    table[to] = { ...home, [key]: source[key] };
    const origin = origins.get(`${from}.${key}`);
    if (origin !== undefined) origins.set(`${to}.${key}`, origin);
  }
  delete source[key];
}

/**
 * Turns a request's parameters into configuration sections. Keys may be in their section, or bare, as the
 * testbed sends them. Throws `CONFIG_INVALID` for keys that a request may not set.
 */
export function requestedSections(params: Readonly<Record<string, unknown>>): Table {
  const sections: Record<string, Table> = {};
  for (const [key, value] of Object.entries(params)) {
    const isSection = Object.hasOwn(openSections, key) && isTable(value);
    const home = isSection ? key : openSectionOf(key);
    if (home === undefined) {
      const known = Object.values(openSections).flatMap(({ shape }) => Object.keys(shape));
      throw configInvalid(
        `the request sets ${key}, which is not allowed; the nearest allowed key is ${nearest(key, known, 1)[0]}`,
      );
    }
    sections[home] = { ...sections[home], ...(isSection ? value : { [key]: value }) };
  }
  return sections;
}

/** Returns the configuration name in a request. Throws `CONFIG_INVALID` for a path. */
export function requireBareName(name: string | undefined, workingFolder: string) {
  if (name === undefined) return name;
  if (!configNamePattern.test(name))
    throw configInvalid(
      `the request names the configuration ${JSON.stringify(name)}; only the bare name of a configuration is allowed, such as fast_processing_default`,
    );
  if (isFile(resolve(workingFolder, name)))
    throw configInvalid(
      `the request names the configuration ${JSON.stringify(name)}; a file of that name in the working folder would be used instead: rename it`,
    );
  return name;
}
