import { resolve } from 'node:path';

import { isLoopback, nameless, scopes, type Token } from '../../http/callers.ts';
import { configInvalid as invalid, messageOf } from '../../lib/errors.ts';
import { readRegularFile } from '../../lib/file-system.ts';
import { printable } from '../../lib/printable.ts';
import { bearerTokenPattern, weaknessOf } from '../../lib/secrets.ts';
import { clause } from '../../lib/words.ts';
import { type Io, pathFrom } from '../shared/io.ts';

export interface AccessArguments {
  /** `[HOST:]PORT`, as given. */
  http: string;
  /** Whether the tools that change something are offered. */
  allowControl: boolean;
  /** Whether every user of this machine may use the control tools without a token. */
  insecureLocal: boolean;
  tlsCert?: string;
  tlsKey?: string;
  /** Whether clients reach the server through a proxy that terminates TLS. */
  behindProxy: boolean;
}

export interface Access {
  /** Empty if every user of this machine may call the server. */
  tokens: Token[];
  tls: { cert: Buffer; key: Buffer } | undefined;
}

/**
 * The tokens of the allowed clients, and the TLS certificate and key. Throws `CONFIG_INVALID` if too many
 * people could call the server, or if a token could be overheard too easily.
 */
export function readAccess(io: Io, host: string, args: AccessArguments) {
  const { http, allowControl, insecureLocal, behindProxy } = args;
  const tokens = readTokens(io);
  const tls = readTls(io, args);
  if (!isLoopback(host) && tokens.length === 0)
    throw invalid(
      `--http ${http}: an address that others can reach needs a token; set SWF_MCP_TOKEN or SWF_MCP_TOKEN_FILE, or bind to 127.0.0.1`,
    );
  if (!isLoopback(host) && tls === undefined && !behindProxy)
    throw invalid(
      `--http ${http}: on an address that others can reach, the token would cross the network in the clear; give --tls-cert and --tls-key, --behind-proxy if a proxy in front terminates TLS, or bind to 127.0.0.1`,
    );
  if (!isLoopback(host) || behindProxy) requireAllLong(tokens, http);
  if (tokens.length === 0 && behindProxy)
    throw invalid('--behind-proxy admits everyone whom the proxy admits; set SWF_MCP_TOKEN or SWF_MCP_TOKEN_FILE');
  if (tokens.length === 0 && allowControl && !insecureLocal)
    throw invalid(
      '--allow-control over HTTP without a token lets every user of this machine start and stop runs; set SWF_MCP_TOKEN or SWF_MCP_TOKEN_FILE, or give --insecure-local if you want that',
    );
  return { tokens, tls };
}

function requireAllLong(tokens: readonly Token[], http: string) {
  for (const { name, token } of tokens)
    requireLong(`--http ${http}`, clause('the token of ', name) || 'SWF_MCP_TOKEN', token);
}

/** Throws `CONFIG_INVALID` for a token that others could guess. @param given the option and its address */
function requireLong(given: string, which: string, token: string) {
  const weakness = weaknessOf(token);
  if (weakness !== undefined)
    throw invalid(`${given}: ${which} ${weakness}, such as the output of "openssl rand -hex 24"`);
}

/**
 * The token from an environment variable, for a server with a single token; undefined if every user of this machine
 * may call the server. Throws `CONFIG_INVALID` if others could reach the server without a token or with a weak one.
 * @param given the option and its address
 */
export function requireToken(io: Io, variable: string, host: string, given: string) {
  const token = io.env[variable];
  if (token !== undefined && !bearerTokenPattern.test(token))
    throw invalid(
      `${variable} is empty, or contains a space or another character that is not allowed in a header; choose another value`,
    );
  if (isLoopback(host)) return token;
  if (token === undefined)
    throw invalid(
      `${given}: an address that others can reach needs a token; set ${variable} here and for the programs that connect, or use 127.0.0.1`,
    );
  requireLong(given, variable, token);
  return token;
}

function readTokens(io: Io) {
  for (const name of ['SWF_MCP_TOKEN', 'SWF_MCP_TOKEN_FILE'])
    if (io.env[name] === '')
      throw invalid(
        `${name} is set but empty, so everyone on this machine could use the server; give it a value, or unset it`,
      );
  const alone = io.env['SWF_MCP_TOKEN'];
  if (alone !== undefined && !bearerTokenPattern.test(alone))
    throw invalid(
      'SWF_MCP_TOKEN contains a space or another character that is not allowed in a header; choose another token',
    );
  const path = io.env['SWF_MCP_TOKEN_FILE'];
  const more = path === undefined ? [] : tokensIn(resolve(io.workingFolder, path));
  const all = [...(alone === undefined ? [] : [{ name: undefined, scope: 'control' as const, token: alone }]), ...more];
  // One token must not have two names: a stop could be recorded under the wrong name.
  if (new Set(all.map(({ token }) => token)).size < all.length)
    throw invalid('SWF_MCP_TOKEN_FILE has a token twice, or repeats SWF_MCP_TOKEN; give each name its own token');
  return all;
}

function tokensIn(path: string) {
  const tokens = readPrivately(path)
    .split('\n')
    .map((line, at) => tokenOf(line.trim(), `SWF_MCP_TOKEN_FILE, line ${at + 1}`))
    .filter((token) => token !== undefined);
  if (tokens.length === 0) throw invalid(`SWF_MCP_TOKEN_FILE: ${printable(path)} contains no token; ${form}`);
  if (new Set(tokens.map(({ name }) => name)).size < tokens.length)
    throw invalid('SWF_MCP_TOKEN_FILE contains the same name twice; give each token its own name');
  return tokens;
}

const form = 'each line is NAME read|note|control TOKEN, such as: shift-assistant note 3f9c…';

/** Throws `CONFIG_INVALID` if others can read the file. */
function readPrivately(path: string) {
  const { content, mode } = reading('SWF_MCP_TOKEN_FILE:', path, () => readRegularFile(path));
  if ((mode & 0o077) !== 0)
    throw invalid(
      `SWF_MCP_TOKEN_FILE: ${printable(path)} can be read or written by others (mode ${(mode & 0o777).toString(8)}); chmod 600 it`,
    );
  return content.toString('utf8');
}

function reading<T>(what: string, path: string, read: () => T) {
  try {
    return read();
  } catch (error) {
    throw invalid(`${what} ${printable(path)} cannot be read (${printable(messageOf(error))})`);
  }
}

/** The token in a line; undefined for a comment or an empty line. Errors never contain the token. */
function tokenOf(line: string, where: string) {
  if (line === '' || line.startsWith('#')) return undefined;
  const [name = '', word = '', token = '', ...more] = line.split(/\s+/);
  const scope = scopes.find((one) => one === word);
  if (token === '' || more.length > 0) throw invalid(`${where} does not consist of three words; ${form}`);
  if (name === nameless) throw invalid(`${where}: ${nameless} is reserved for clients without a name; choose another`);
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name))
    throw invalid(`${where}: the name may have up to 64 letters, digits, ".", "_" and "-"; ${form}`);
  if (scope === undefined) throw invalid(`${where}, ${name}: unknown scope ${JSON.stringify(word)}; ${form}`);
  if (!bearerTokenPattern.test(token))
    throw invalid(
      `${where}, ${name}: the token contains a character that is not allowed in a header; choose another token`,
    );
  return { name, scope, token };
}

export function readTls(io: Io, { tlsCert, tlsKey }: Pick<AccessArguments, 'tlsCert' | 'tlsKey'>) {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const read = (option: string, path: string) =>
    reading(option, path, () => readRegularFile(pathFrom(io, path)).content);
  return { cert: read('--tls-cert', tlsCert), key: read('--tls-key', tlsKey) };
}
