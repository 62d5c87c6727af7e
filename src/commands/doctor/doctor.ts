import { constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { showAddress } from '../../broker/address.ts';
import type { BrokerSettings } from '../../broker/connection.ts';
import { brokerSettings } from '../../config/broker.ts';
import type { Loaded } from '../../config/load.ts';
import { requireOwnNamespace } from '../../config/policies.ts';
import type { Config } from '../../config/schema.ts';
import { openReader } from '../../db/opening/open-reader.ts';
import { requireNoOrphanLog } from '../../db/sqlite/store-file.ts';
import { refusalOf, unreachable } from '../../files/http-reader.ts';
import { canAccess, freeBytes, whyNotOurs } from '../../lib/file-system.ts';
import { networkFileSystemOf } from '../../lib/network-file-system.ts';
import { requireDataFolder } from '../../runtime/data-folder.ts';
import { configOf } from '../shared/configured.ts';
import { type BrokerFlags, exitCodes, type Io, storePath, userName } from '../shared/io.ts';
import { printLines } from '../shared/print-lines.ts';
import { forgetDurable, lookAtBroker } from './broker.ts';
import { attempt, type Diagnosis, fail, type Look, ok, warn } from './diagnosis.ts';

interface DoctorArguments extends BrokerFlags {
  unsubscribe: boolean;
  prove: boolean;
  /** Seconds to listen for other programs. */
  wait?: number;
}

/**
 * `swf-mcp doctor`: checks whether everything is in place, with one line per check. Returns 0 if nothing has
 * failed.
 */
export async function doctorCommand(io: Io, args: DoctorArguments) {
  let failed = false;
  for await (const [subject, { state, what }] of lookAtAll(io, args)) {
    failed ||= state === 'fail';
    printLines(io, [`${state.padEnd(4)}  ${subject.padEnd(13)}  ${what}`]);
  }
  return failed ? exitCodes.mendable : exitCodes.fine;
}

async function* lookAtAll(io: Io, args: DoctorArguments): AsyncGenerator<Look> {
  const path = storePath(io);
  yield ['node', lookAtNode(io.nodeVersion)];
  yield ['user', await attempt(() => ok(userName(io)))];
  yield ['store', await attempt(() => lookAtStore(path))];
  for (const diagnosis of lookAtRights(path)) yield ['rights', diagnosis];
  yield ['file system', await attempt(() => lookAtFileSystem(path))];
  let loaded: Loaded | undefined;
  const configuration = await attempt(() => {
    loaded = configOf(io, args);
    const { config, isOwnNamespace } = loaded;
    return ok(`namespace ${config.testbed.namespace}${isOwnNamespace ? '' : ' (from the shipped file)'}`);
  });
  yield ['configuration', configuration];
  if (loaded !== undefined) yield* lookFurther(io, args, loaded);
}

async function* lookFurther(io: Io, args: DoctorArguments, loaded: Loaded): AsyncGenerator<Look> {
  const { config, warnings, isOwnNamespace } = loaded;
  yield ['data', await attempt(() => lookAtData(config, io))];
  yield* lookAtSources(config, io.env['SWF_FILES_TOKEN']);
  for (const warning of warnings) yield ['configuration', warn(warning)];
  let settings: BrokerSettings | undefined;
  const asked = await attempt(() => {
    settings = brokerSettings(args.broker, config.broker, io.env);
    return ok(settings?.servers.map(showAddress).join(',') ?? 'none configured: everything runs in one process');
  });
  yield ['broker', asked];
  if (settings === undefined) {
    if (args.prove || args.unsubscribe || args.wait !== undefined)
      yield ['broker', warn('--prove, --wait and --unsubscribe need a broker: "--broker URL", or "url" in [broker]')];
    return;
  }
  const broker = settings;
  if (!isOwnNamespace)
    yield [
      'namespace',
      await attempt(() => {
        requireOwnNamespace(loaded);
        return ok(config.testbed.namespace);
      }),
    ];
  yield* lookAtBroker({ settings: broker, config, storePath: storePath(io), wait: args.wait, prove: args.prove });
  if (args.unsubscribe) yield ['unsubscribe', await attempt(() => forgetDurable(storePath(io), broker, config))];
}

function lookAtNode(nodeVersion: string) {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 15)) return ok(nodeVersion);
  return fail(`${nodeVersion} is too old; install Node.js 20.15 or newer`);
}

function lookAtStore(path: string) {
  requireNoOrphanLog(path);
  if (!existsSync(path)) return ok(`${path} (does not exist yet; the first run creates it)`);
  openReader(path).close();
  return ok(path);
}

/** Checks whether other users can change or read the store and its folder. */
function* lookAtRights(path: string): Generator<Diagnosis> {
  const [why, whyFolder] = [whyNotOurs(path), whyNotOurs(dirname(path))];
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  const isOpen = (mode & 0o077) !== 0;
  if (why !== undefined) yield fail(`${path}: ${why}; "chmod 600" it if it is yours, or name another with --db`);
  if (whyFolder !== undefined) yield warn(`${dirname(path)}: ${whyFolder}, so another user could replace your store`);
  if (isOpen)
    yield warn(`${path}: other users may read or write it (mode ${(mode & 0o777).toString(8)}); chmod 600 it`);
  if (why === undefined && whyFolder === undefined && !isOpen) yield ok('only this user can use the store');
}

/** Checks whether the folder of data files can be used. The first run that writes files creates the folder. */
function lookAtData({ data }: Config, io: Io) {
  if (!data.write_files) return ok('no files are written');
  const dir = resolve(io.workingFolder, data.dir ?? `${storePath(io)}.data`);
  if (!existsSync(dir)) return ok(`${dir} (does not exist yet; the first run creates it)`);
  requireDataFolder({ data: { ...data, dir } });
  return ok(dir);
}

/** With fewer free bytes than this, the check fails: a short run takes a few megabytes. */
const minFree = 20_000_000;

function lookAtFileSystem(path: string) {
  let folder = dirname(path);
  while (!existsSync(folder)) folder = dirname(folder);
  if (!canAccess(folder, constants.W_OK))
    return fail(`${folder} is not writable; fix its permissions, or name another file with --db`);
  const kind = networkFileSystemOf(folder);
  const bytes = freeBytes(folder);
  const free = `${(bytes / 1e9).toFixed(1)} GB free`;
  if (bytes < minFree) return fail(`${folder} is nearly full, ${free}; free some space`);
  if (kind === undefined) return ok(`${folder} is local and writable, ${free}`);
  return fail(`${folder} is on ${kind}, where a store would be damaged; name a file on a local disk with --db`);
}

/** Checks the hosts that files are fetched from, with one line for each. */
async function* lookAtSources({ data }: Config, token: string | undefined): AsyncGenerator<Look> {
  const { sources = [], fetch: command } = data;
  for (const source of sources)
    yield [
      'files',
      command !== undefined || !/^https?:/.test(source)
        ? warn(`files from ${source} are fetched by a command, which was not tried`)
        : await attempt(() => lookAtSource(source, token)),
    ];
}

/** How long to wait for a file server's answer, in milliseconds. */
const patienceMilliseconds = 5000;

/**
 * Requests a file that no host has, to detect a host that answers every request with a login page.
 */
async function lookAtSource(source: string, token: string | undefined) {
  const { status } = await fetch(`${source.replace(/\/$/, '')}/swf-mcp-doctor/none`, {
    method: 'HEAD',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(patienceMilliseconds),
    redirect: 'manual',
  }).catch((error: unknown) => {
    throw unreachable(source, error);
  });
  if (status !== 404) throw refusalOf(source, status);
  return ok(`${source} answers${token === undefined ? '' : ', and accepts the token'}`);
}
