import { parseBrokerUrl } from '../../broker/address.ts';
import { knownConfigs } from '../../config/find-files.ts';
import type { Loaded } from '../../config/load.ts';
import { knownKeys } from '../../config/schema.ts';
import { isTable, valueAt } from '../../config/toml.ts';
import { printable, unprintable } from '../../lib/printable.ts';
import { configOf } from '../shared/configured.ts';
import { type ConfigFlags, configPlaces, type Io, storePath } from '../shared/io.ts';

/**
 * `swf-mcp config`: the effective configuration as TOML, with the source of each value as a comment; secrets
 * are masked.
 */
export function configCommand(io: Io, { list, ...flags }: ConfigFlags & { list: boolean }) {
  if (list) return listConfigs(io);
  const loaded = configOf(io, flags);
  for (const warning of loaded.warnings) io.err(`WARNING ${warning}`);
  io.out(`${tomlLines(effectiveValues(io, loaded)).join('\n')}\n`);
}

/** `swf-mcp config --list`: the configurations that can be given by name, one per line. */
function listConfigs(io: Io) {
  const known = knownConfigs(configPlaces(io));
  const width = Math.max(...known.map(({ name }) => name.length));
  for (const { name, path } of known) io.out(`${printable(`${name.padEnd(width)}  ${path}`)}\n`);
}

interface Effective {
  value: unknown;
  source: string;
}

const secret = '***';

/**
 * The value of each key (undefined if it has none), and where the value came from. Throws `CONFIG_INVALID`.
 */
function effectiveValues(io: Io, { config, origins }: Loaded) {
  const values = new Map<string, Effective>();
  for (const key of knownKeys) {
    const value = valueAt(config, key.split('.'));
    values.set(key, { value, source: origins.get(key) ?? 'default' });
  }
  if (config.data.dir === undefined) values.set('data.dir', { value: `${storePath(io)}.data`, source: 'default' });
  const { url } = config.broker;
  // A malformed URL is refused.
  if (url !== undefined) parseBrokerUrl(url);
  for (const [key, source] of url === undefined ? [] : Object.entries(fromEnvironment))
    if (io.env[source]) values.set(key, { value: io.env[source], source });
  const password = values.get('broker.password');
  if (password?.value !== undefined) values.set('broker.password', { ...password, value: secret });
  return values;
}

/** The broker settings that come from the environment if a broker is chosen. */
const fromEnvironment = {
  'broker.user': 'ACTIVEMQ_USER',
  'broker.password': 'ACTIVEMQ_PASSWORD',
  'broker.ca_file': 'ACTIVEMQ_SSL_CA_CERTS',
};

function tomlLines(values: Map<string, Effective>) {
  const lines: string[] = [];
  const homeOf = (dotted: string) => dotted.slice(0, dotted.lastIndexOf('.'));
  const homes = new Set([...values].flatMap(([dotted, { value }]) => (value === undefined ? [] : homeOf(dotted))));
  let section = '';
  for (const [dotted, { value, source }] of values) {
    const home = homeOf(dotted);
    const key = dotted.slice(home.length + 1);
    if (home !== section) lines.push(...(section === '' ? [] : ['']), `${homes.has(home) ? '' : '# '}[${home}]`);
    section = home;
    lines.push(lineOf(dotted, key, { value, source }));
  }
  return lines;
}

/** The column where comments begin, unless a value extends beyond it. */
const commentColumn = 36;

function lineOf(dotted: string, key: string, { value, source }: Effective) {
  if (value === undefined) return `# ${key} is not set`;
  // Included files are already merged in: the output is a complete configuration.
  const setting = `${dotted === 'workflow.includes' ? '# ' : ''}${key} = ${tomlOf(value)}`;
  return `${setting.padEnd(commentColumn)} # ${printable(source)}`;
}

/**
 * A value as TOML. A JSON string is a TOML string; characters that JSON leaves unescaped but a terminal would
 * not show are escaped here.
 */
function tomlOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlOf).join(', ')}]`;
  if (isTable(value))
    return `{ ${Object.entries(value)
      .map(([key, one]) => `${key} = ${tomlOf(one)}`)
      .join(', ')} }`;
  return JSON.stringify(value).replaceAll(hidden, escaped);
}

const hidden = new RegExp(`[${unprintable}]`, 'gu');

/** A character as a TOML escape with its code point. */
const escaped = (character: string) => String.raw`\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
