import { usualConfiguration } from '../domain/names.ts';
import { configInvalid } from '../lib/errors.ts';
import { type ConfigPlaces, findConfig, findInclude, findTestbedFile } from './find-files.ts';
import type { Origins } from './testbed-compat.ts';
import { isTable, readToml, showValue, type Table, tomlValue } from './toml.ts';

/** Where a configuration comes from: files under files, then the environment, then a request, then flags. */
export interface ConfigSources extends ConfigPlaces {
  /** A name (`fast_processing`) or a path; the shipped default if left out. */
  name?: string | undefined;
  /** `section.key=value`, as `--set` takes them; later ones win. */
  sets?: readonly string[];
  /** Sections from a message or a tool, which override the files. */
  overrides?: Readonly<Record<string, unknown>>;
  /** A file of overrides, as in the testbed: `SWF_TESTBED_CONFIG`. */
  testbedFile?: string | undefined;
}

/** This key has two places; `--set` of either must win over a file that sets the other. */
const movedPeriodCount = { from: 'daq_state_machine.physics_period_count', to: 'fast_processing.physics_period_count' };

/** Merges all layers into one table and notes the file or flag of each key. Throws `CONFIG_NOT_FOUND` or `CONFIG_INVALID`. */
export function readLayers(sources: ConfigSources): { table: Table; origins: Origins; path: string } {
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

/** Merges a file over its includes: the including file wins, a later include wins over an earlier one. */
function mergeIncludes(path: string, origins: Origins, places: ConfigPlaces, including: string[] = []): Table {
  if (including.includes(path))
    throw configInvalid(`${path} includes itself (${[...including, path].join(' → ')}); take one include out`);
  const table = readToml(path);
  const merged: Table = {};
  for (const include of includedPaths(table, path, places))
    mergeInto(merged, mergeIncludes(include, origins, places, [...including, path]));
  mergeInto(merged, table);
  for (const key of leafKeys(table)) origins.set(key, path);
  return merged;
}

/** The files under a file: its includes, and under them the file that the testbed's `[workflow] config` names. */
function includedPaths(table: Table, path: string, places: ConfigPlaces): string[] {
  const { config, includes = [] } = isTable(table['workflow']) ? table['workflow'] : {};
  const named = typeof config === 'string' ? [findConfig(config, places)] : [];
  if (Array.isArray(includes) && includes.every((item) => typeof item === 'string'))
    return [...named, ...includes.map((include) => findInclude(include, path, places))];
  throw configInvalid(`${path}: workflow.includes is not a list of file names; write includes = ["file.toml"]`);
}

function mergeInto(target: Table, source: Table): void {
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

function applySet(table: Table, set: string, origins: Origins): void {
  const match = /^\s*([A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)+)\s*=(.*)$/s.exec(set);
  if (match === null)
    throw configInvalid(
      `--set ${JSON.stringify(set)} is not section.key=value; write for example --set fast_processing.stf_count=3`,
    );
  const [, given = '', text = ''] = match;
  if (given === 'workflow.includes' || given === 'workflow.config')
    throw configInvalid(
      `--set ${JSON.stringify(set)}: files are read before keys are set; write it into a file of your own`,
    );
  const dotted = given === movedPeriodCount.from ? movedPeriodCount.to : given;
  const path = dotted.split('.');
  const key = path.pop() as string;
  let section = table;
  for (const name of path) {
    if (!Object.hasOwn(section, name)) section[name] = {};
    if (!isTable(section[name]))
      throw configInvalid(
        `--set ${JSON.stringify(set)}: ${name} = ${showValue(section[name])} is no section; fix that first`,
      );
    section = section[name];
  }
  section[key] = tomlValue(text.trim());
  origins.set(dotted, '--set');
}
