import { chmodSync, realpathSync, statSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { configInvalid, hasCode, messageOf } from '../../lib/errors.ts';
import { makeFolder, readRegularFile } from '../../lib/file-system.ts';
import { isObject } from '../../lib/read-json.ts';
import { tried } from '../../lib/tried.ts';
import { writeNewFile } from '../../lib/write-new-file.ts';
import { type Io, isStoreNamed, storePath } from '../shared/io.ts';
import { printLines } from '../shared/print-lines.ts';
import {
  changedJson,
  changedToml,
  type Entry,
  entryIn,
  server,
  type Settings,
  settingsOf,
  tomlOf,
} from './client-settings.ts';

interface AddArguments {
  client: 'claude' | 'cursor' | 'vscode' | 'codex';
  scope: 'user' | 'project';
  readOnly: boolean;
  yes: boolean;
  remove: boolean;
}

interface Client {
  title: string;
  /** The file for a scope. */
  file(places: { home: string; project: string; env: NodeJS.ProcessEnv }): Record<AddArguments['scope'], string>;
  /** The key of the object that holds the entries. */
  key: string;
  isToml?: true;
  /** The next step once the entry is written. */
  next: string;
}

const configFolder = (home: string, env: NodeJS.ProcessEnv) =>
  platform() === 'darwin'
    ? join(home, 'Library', 'Application Support')
    : env['XDG_CONFIG_HOME'] || join(home, '.config');

/**
 * Sources, all as of November 2026: code.claude.com/docs/en/mcp, cursor.com/docs/mcp,
 * code.visualstudio.com/docs, learn.chatgpt.com/docs (Codex).
 */
const clients: Readonly<Record<AddArguments['client'], Client>> = {
  claude: {
    title: 'Claude Code',
    file: ({ home, project, env }) => ({
      user: join(env['CLAUDE_CONFIG_DIR'] || home, '.claude.json'),
      project: join(project, '.mcp.json'),
    }),
    key: 'mcpServers',
    next: '"claude mcp list" shows it',
  },
  cursor: {
    title: 'Cursor',
    file: ({ home, project }) => ({
      user: join(home, '.cursor', 'mcp.json'),
      project: join(project, '.cursor', 'mcp.json'),
    }),
    key: 'mcpServers',
    next: 'restart Cursor',
  },
  vscode: {
    title: 'VS Code',
    file: ({ home, project, env }) => ({
      user: join(configFolder(home, env), 'Code', 'User', 'mcp.json'),
      project: join(project, '.vscode', 'mcp.json'),
    }),
    key: 'servers',
    next: '"MCP: List Servers" in the command palette shows it',
  },
  codex: {
    title: 'Codex',
    file: ({ home, project, env }) => ({
      user: join(env['CODEX_HOME'] || join(home, '.codex'), 'config.toml'),
      project: join(project, '.codex', 'config.toml'),
    }),
    key: 'mcp_servers',
    isToml: true,
    next: '"codex mcp list" shows it',
  },
};

/**
 * `swf-mcp add CLIENT`: registers this server with an assistant. Prints the file and the entry; writes
 * only with `--yes`, and keeps everything else in the file. Throws `CONFIG_INVALID` if the file cannot be
 * read or changed.
 */
export function addCommand(io: Io, { client: name, scope, readOnly, yes, remove }: AddArguments) {
  const client = clients[name];
  const places = { home: io.env['HOME'] || homedir(), project: io.workingFolder, env: io.env };
  const file = client.file(places)[scope];
  const before = contentOf(file);
  const there = tried(() => entryIn(client.isToml === true ? tomlOf(before) : settingsOf(before), client.key));
  const kept = keptOf(there);
  const own = entryOf(io, client, readOnly);
  const entry = remove ? undefined : { ...kept, ...own };
  const change = client.isToml === true ? changedToml : changedJson;
  const after = change(before, client.key, entry, file);
  const title = `${client.title}, ${file}`;
  if (after === before)
    return printLines(io, [`${title}: ${remove ? 'has no' : 'already has this'} ${server} entry; nothing to do`]);
  if (entry === undefined) printLines(io, [`${title}: remove the ${server} entry`]);
  else {
    io.out(`${title}:\n${change('', client.key, { ...(hidden(kept) as Settings), ...own }, file).trim()}\n`);
    if (there !== undefined) printLines(io, changesIn(there, entry));
  }
  if (!yes) return printLines(io, ['nothing has been written yet; add --yes to write the file']);
  write(file, after);
  printLines(io, [`written; ${remove ? 'restart the client' : client.next}`]);
}

function entryOf(io: Io, { isToml }: Client, readOnly: boolean): Entry {
  const self = io.self();
  // npx may remove its unpacked files at any time.
  const words = self.some((word) => word.includes('/_npx/')) ? ['npx', '-y', server] : self;
  const flags = [...(isStoreNamed(io) ? ['--db', storePath(io)] : []), ...(readOnly ? ['serve', '--read-only'] : [])];
  const [command = '', ...args] = [...words, ...flags];
  return { ...(isToml === true ? {} : { type: 'stdio' }), command, args };
}

/**
 * The part of an existing entry that is kept: everything except the store and the start command, both of which
 * `swf-mcp add` sets.
 */
function keptOf(there: unknown): Settings {
  if (!isObject(there)) return {};
  const { type: _, command, args: __, env, ...others } = there;
  const { SWF_DB: ___, ...variables } = isObject(env) ? env : {};
  return {
    ...(command === undefined ? {} : others),
    ...(Object.keys(variables).length === 0 ? {} : { env: variables }),
  };
}

/** Settings for display, without their values: a variable, a header or an argument may contain a password. */
const hidden = (settings: unknown): unknown =>
  isObject(settings) ? Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, hidden(value)])) : '…';

/** The changes to the existing entry, one line each, without its values. */
function changesIn(there: unknown, entry: Entry) {
  const before = flat(there);
  const after = flat(entry);
  const kept = Object.keys(after).filter((key) => isDeepStrictEqual(before[key], after[key]));
  const gone = Object.keys(before).filter((key) => !(key in after));
  return [
    ...Object.keys(after)
      .filter((key) => !kept.includes(key))
      .map((key) => `${key in before ? 'changes' : 'adds'} ${key}: ${JSON.stringify(after[key])}`),
    ...(gone.length === 0 ? [] : [`removes ${gone.join(', ')}`]),
    ...(kept.length === 0 ? [] : [`keeps ${kept.join(', ')}`]),
  ];
}

/** The settings of an entry as a flat list, in which each environment variable is a setting. */
function flat(entry: unknown): Settings {
  const { env, ...others } = isObject(entry) ? entry : {};
  const variables = Object.entries(isObject(env) ? env : {}).map(([name, value]) => [`env.${name}`, value] as const);
  return { ...others, ...Object.fromEntries(variables) };
}

/** The text of a file; empty if there is none. */
function contentOf(file: string) {
  try {
    return readRegularFile(file).content.toString();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw configInvalid(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Writes a file, keeping its permissions and any link to it. */
function write(file: string, text: string) {
  const target = tried(() => realpathSync(file)) ?? file;
  const mode = statSync(target, { throwIfNoEntry: false })?.mode ?? 0o600;
  makeFolder(dirname(target));
  writeNewFile(target, text, true);
  chmodSync(target, mode & 0o777);
}
