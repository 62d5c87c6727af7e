import { dirname, isAbsolute, resolve } from 'node:path';

import { problemOf } from './invalid.ts';
import { type ConfigSources, readLayers } from './layers.ts';
import { payloadWarnings, resolvePayload } from './payload-command.ts';
import { requireConsistent } from './policies.ts';
import { type Config, configSchema } from './schema.ts';
import { adoptTestbed } from './testbed-compat.ts';
import { isTable, type Table } from './toml.ts';

/** The namespace of the shipped file, for files without one. */
const shippedNamespace = 'torre2';

/** A configuration that has been checked. */
export interface Loaded {
  config: Config;
  /** Settings that are known but have no effect here, and likely mistakes. */
  warnings: string[];
  /** Whether the user chose the namespace; otherwise it is that of the shipped file. */
  isOwnNamespace: boolean;
  /** The file that a key came from, or `--set`. A missing key has its default. */
  origins: ReadonlyMap<string, string>;
}

/** Reads, checks and freezes a configuration. Throws `CONFIG_NOT_FOUND` or `CONFIG_INVALID`. */
export function loadConfig(sources: ConfigSources): Loaded {
  const { table, origins, path } = readLayers(sources);
  const warnings = adoptTestbed(table, origins);
  const testbed = isTable(table['testbed']) ? table['testbed'] : {};
  const isNamed = testbed['namespace'] !== undefined;
  const named = isNamed ? table : { ...table, testbed: { ...testbed, namespace: shippedNamespace } };
  const config = checkConfig(named, (key) => origins.get(key) ?? path);
  const namespaceFrom = origins.get('testbed.namespace');
  const isOwnNamespace = isNamed && (namespaceFrom === undefined || dirname(namespaceFrom) !== sources.shippedFolder);
  // A path is relative to the file that sets it.
  const folderOf = (key: string): string => {
    const from = origins.get(key);
    return from === undefined || !isAbsolute(from) ? sources.workingFolder : dirname(from);
  };
  const resolved = deepFreeze({
    ...config,
    data: withFolder(config.data, folderOf('data.dir')),
    worker: withPayload(config.worker, folderOf('worker.payload'), warnings),
  });
  return { config: resolved, warnings, isOwnNamespace, origins };
}

const withFolder = (data: Config['data'], folder: string): Config['data'] =>
  data.dir === undefined ? data : { ...data, dir: resolve(folder, data.dir) };

function withPayload(worker: Config['worker'], folder: string, warnings: string[]): Config['worker'] {
  if (worker.payload === undefined) return worker;
  const payload = resolvePayload(worker.payload, folder);
  warnings.push(...payloadWarnings(payload));
  return { ...worker, payload };
}

/** Parses the recorded configuration of an execution to resume. Throws `CONFIG_INVALID` if this program cannot use it. */
export function parseRecordedConfig(params: unknown, executionId: string): Config {
  const { speed: _, plan_version: __, ...recorded } = params as Table;
  return checkConfig(recorded, () => `the configuration recorded for ${executionId}`);
}

function checkConfig(table: Table, originOf: (dottedKey: string) => string): Config {
  const result = configSchema.safeParse(table);
  if (!result.success) throw problemOf(result.error, table, originOf);
  requireConsistent(result.data, originOf);
  return deepFreeze(result.data);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
