import { dirname, isAbsolute, resolve } from 'node:path';

import type * as z from 'zod';

import { showAddress } from '../broker/address.ts';
import type { BrokerSettings } from '../broker/connection.ts';
import { issueWords } from '../domain/issue-words.ts';
import { configInvalid } from '../lib/errors.ts';
import { closest } from '../lib/suggest.ts';
import { adoptTestbed, type ConfigSources, leafKeys, readLayers } from './layers.ts';
import { payloadWarnings, resolvePayload } from './payload-command.ts';
import { requireConsistent } from './policies.ts';
import { type BrokerSection, type Config, configSchema, knownKeys, sectionNames, tableNames } from './schema.ts';
import { isTable, showValue, type Table, valueAt } from './toml.ts';

/** The namespace in the shipped file, used for files that set none. */
const shippedNamespace = 'torre2';

/** A configuration that has been checked. */
export interface Loaded {
  config: Config;
  /** Warnings about likely mistakes, and about known settings that have no effect here. */
  warnings: string[];
  /** Whether the user chose the namespace; otherwise it comes from the shipped file. */
  isOwnNamespace: boolean;
  /** The file that a key came from, or `--set`; absent for a missing key, which takes its default. */
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
  // A path is relative to the folder of the file that sets it.
  const folderOf = (key: string) => {
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

const withFolder = (data: Config['data'], folder: string) =>
  data.dir === undefined ? data : { ...data, dir: resolve(folder, data.dir) };

function withPayload(worker: Config['worker'], folder: string, warnings: string[]) {
  if (worker.payload === undefined) return worker;
  const payload = resolvePayload(worker.payload, folder);
  warnings.push(...payloadWarnings(payload));
  return { ...worker, payload };
}

/**
 * Parses the recorded configuration of an execution that is to be resumed. Throws `CONFIG_INVALID` if this
 * program cannot use it.
 */
export function parseRecordedConfig(params: unknown, executionId: string) {
  const { speed: _, plan_version: __, ...recorded } = params as Table;
  return checkConfig(recorded, () => `the configuration recorded for ${executionId}`);
}

function checkConfig(table: Table, originOf: (dottedKey: string) => string) {
  const result = configSchema.safeParse(table);
  if (!result.success) throw problemOf(result.error, table, originOf);
  requireConsistent(result.data, originOf);
  return deepFreeze(result.data);
}

function deepFreeze<T>(value: T) {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}

/**
 * The first problem in a configuration, as a `CONFIG_INVALID` error: file, key, value, and what is allowed.
 * @param originOf the file or flag that a dotted key came from
 */
function problemOf(error: z.ZodError, table: Table, originOf: (dottedKey: string) => string) {
  const issue = error.issues[0] as z.core.$ZodIssue;
  if (issue.code === 'unrecognized_keys') {
    const path = [...issue.path, issue.keys[0] ?? ''];
    return configInvalid(`${originOf(firstLeaf(path.join('.'), table))}: ${unknownWords(path, table)}`);
  }
  const key = issue.path.join('.');
  const hint = issue.code === 'invalid_type' && issue.expected === 'string' ? '; write a string in quotes' : '';
  const value = valueAt(table, issue.path);
  return configInvalid(`${originOf(key)}: ${key} = ${shown(key, value)}: ${issueWords(issue, value)}${hint}`);
}

/** Names the unknown key or table at a path, and the one that was probably meant. */
function unknownWords(path: readonly PropertyKey[], table: Table) {
  const value = valueAt(table, path);
  const [kind, known, written] = isTable(value)
    ? (['section', tableNames, (name: string) => `[${name}]`] as const)
    : (['key', knownKeys, (name: string) => name] as const);
  const name = path.join('.');
  // A table's keys show more clearly than its name which section was meant.
  const inner = isTable(value) ? Object.keys(value) : [];
  const owners = known.filter((one) => inner.some((key) => knownKeys.includes(`${one}.${key}`)));
  // A correct name in a wrong section is a better suggestion than a similar name.
  const elsewhere = known.filter((one) => leafOf(one) === leafOf(name));
  const near = elsewhere.length === 0 ? [closest(name, owners) ?? closest(name, known) ?? []].flat() : elsewhere;
  const hint =
    near.length === 0
      ? `known sections are ${sectionNames.join(', ')}`
      : `the nearest known ${kind} is ${near.map(written).join(' or ')}`;
  return `unknown ${kind} ${written(name)}; ${hint}`;
}

const leafOf = (key: string) => key.slice(key.lastIndexOf('.') + 1);

function shown(key: string, value: unknown) {
  // A password is never shown, even if it is invalid.
  if (key === 'broker.password') return '***';
  return value === undefined ? 'missing' : showValue(value);
}

/** The first key in a table; an unknown section is reported with the origin of this key. */
function firstLeaf(key: string, table: Table) {
  const value = valueAt(table, key.split('.'));
  return isTable(value) ? (leafKeys(value, `${key}.`)[0] ?? key) : key;
}

/**
 * A configuration as recorded: with the absolute path of the data folder, so that an execution can be resumed
 * from any folder; with its broker's address; and without secrets.
 */
export function asRecorded(config: Config, store: string, workingFolder: string, broker?: BrokerSettings) {
  const dir = config.data.dir === undefined ? `${store}.data` : resolve(workingFolder, config.data.dir);
  // Alarms do not belong to a run.
  const { watch: _, ...ofRun } = config;
  return { ...ofRun, data: { ...config.data, dir }, broker: recordedBroker(config.broker, broker) };
}

/** The broker section as recorded: without the login and, if no broker is used, without the address. */
function recordedBroker(section: BrokerSection, broker: BrokerSettings | undefined) {
  const { password: _, user: __, url: ___, ...kept } = section;
  return broker === undefined ? kept : { ...kept, url: broker.servers.map(showAddress).join(',') };
}
