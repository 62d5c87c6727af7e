import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';

import { messageOf, NoStoreYet, storeUnavailable, SwfError } from '../../lib/errors.ts';
import { freeBytes } from '../../lib/file-system.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { tried } from '../../lib/tried.ts';
import { removeIfThere } from '../../lib/write-new-file.ts';
import {
  requireNotNewer,
  requireOwnKind,
  requireReadable,
  schemaVersion,
  versionOf,
} from '../opening/schema-version.ts';
import { isProcessAlive, type ProcessSigns, signColumns } from '../presence/leases.ts';
import type { Connection } from '../sqlite/connection.ts';
import { isBusy, tryPatiently } from '../sqlite/other-writers.ts';
import { asSwfError } from '../sqlite/sqlite-errors.ts';
import { preparer } from '../sqlite/statements.ts';
import { connect, fileAt, requireNoOrphanLog, requireWritable, sizeOf } from '../sqlite/store-file.ts';
import { blockDifferences, damageOf, schemaDifferences } from './integrity.ts';
import { fillFrom, readAsNewest } from './upgrade-rows.ts';

interface Upgraded {
  from: number;
  /** The path of the older store. */
  kept: string;
  /** Executions whose status or counts differ under the current rules, each described in one sentence. */
  changes: string[];
}

/**
 * Upgrades an older store to the newest schema: replays its log into a new file next to it, compares the two,
 * and puts the new file in its place. The older store is kept as `NAME.schema-N`. If the upgrade is killed, the
 * store is either the complete older one or the complete new one. Returns undefined if the store already has
 * the newest schema. Throws `STORE_IN_USE` while another process has the store open, `STORE_TOO_OLD`,
 * `STORE_TOO_NEW`, `STORE_CORRUPT` if the new store would not have the same log, and `STORE_UNAVAILABLE` if a
 * file cannot be written or there is not enough disk space.
 * @param say called before each part of the work
 */
export async function upgradeStore(named: string, say: (line: string) => void): Promise<Upgraded | undefined> {
  requireNoOrphanLog(named);
  if (sizeOf(named) === 0) throw new NoStoreYet(named);
  const path = realpathSync(named);
  // This connection holds the old store's lock until the new store has replaced the old one.
  using old = connect(path, () => requireWritable(path));
  try {
    requireOwnKind(old, path);
    const from = versionOf(old);
    requireNotNewer(from, path);
    if (from === schemaVersion) return undefined;
    requireReadable(from, path);
    readAsNewest(old, from);
    await tryPatiently(path, () => lock(old), lockMilliseconds);
    const kept = `${path}.schema-${from}`;
    if (![undefined, fileAt(path)].includes(fileAt(kept)))
      throw storeUnavailable(`${kept} already exists; move it away: the older store would be kept under that name`);
    const part = `${path}.upgrading`;
    removeIfThere(part);
    try {
      say(roomFor(dirname(path), sizeOf(path), freeBytes(dirname(path))));
      const changes = await fill(old, part, say);
      say('putting the new store in its place');
      putInPlace(part, path, kept);
      return { from, kept, changes };
    } finally {
      for (const file of [part, `${part}-journal`]) removeIfThere(file);
    }
  } catch (error) {
    throw isBusy(error) ? inUse(old, path) : asSwfError(error, path);
  }
}

/**
 * How long to try, in milliseconds, to lock the store: a server that cannot read an older store still opens it
 * briefly from time to time.
 */
const lockMilliseconds = 300;

/** Keeps all other processes out of the store, and moves the store's write-ahead log into it. */
function lock(old: Connection) {
  old.pragma('locking_mode = EXCLUSIVE');
  old.pragma('journal_mode = DELETE');
  old.exec('BEGIN EXCLUSIVE; COMMIT');
}

function inUse(old: Connection, path: string) {
  // While another upgrade is running, the list of processes that use the store cannot be read.
  const processes = tried(() =>
    preparer(old)<ProcessSigns & { version: string }>(
      `SELECT ${signColumns}, version FROM processes WHERE ended IS NULL AND is_remote = 0`,
    ).all(),
  );
  const living = processes?.find((row) => isProcessAlive(row, isAlive));
  const unknown = processes === undefined ? 'a process that keeps it locked, as an upgrade does' : 'a process';
  const who =
    living === undefined ? unknown : `process ${living.pid} on ${living.hostname} (swf-mcp ${living.version})`;
  return new SwfError(
    'STORE_IN_USE',
    `the store ${path} is used by ${who}; end all processes that use it, then upgrade`,
  );
}

/**
 * A new store takes at most this many times the size of the older one, plus the size of an empty store (in
 * bytes).
 */
const growth = 1.5;
const emptyStore = 1_000_000;

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;

/**
 * Says how much disk space the new store needs. Throws `STORE_UNAVAILABLE` if less is free.
 * @param size the size of the older store in bytes; `free` is in bytes too
 */
export function roomFor(folder: string, size: number, free: number) {
  const needed = size * growth + emptyStore;
  const words = `the new store needs up to ${megabytes(needed)} in ${folder}, where ${megabytes(free)} is free`;
  if (free < needed) throw storeUnavailable(`${words}; free some space, then upgrade`);
  return words;
}

/** Fills the new store. Returns the changes in status and counts under the current rules. */
async function fill(old: Connection, part: string, say: (line: string) => void) {
  closeSync(openSync(part, 'wx', 0o600));
  using db = await fillFrom(old, part, say);
  say('comparing the new store with the older one');
  requireSameLog(old, db);
  return statusChanges(old, db);
}

/**
 * Gives the new file the permissions and the name of the store. The older store first gets a second name, so
 * that a complete store exists at every moment.
 */
function putInPlace(part: string, path: string, kept: string) {
  const { mode, uid, gid } = statSync(path);
  chmodSync(part, mode & 0o777);
  chownSync(part, uid, gid);
  toDisk(part);
  try {
    if (fileAt(kept) === undefined) linkSync(path, kept);
  } catch (error) {
    throw storeUnavailable(
      `${kept} cannot be created (${messageOf(error)}); if the file system does not support links, upgrade a copy of ${basename(path)} on one that does`,
      { cause: error },
    );
  }
  renameSync(part, path);
  toDisk(dirname(path));
}

function toDisk(path: string) {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

/**
 * A message as it arrived, byte for byte. Its sending time and its effect are derived anew by the current rules, so
 * they are not compared.
 */
const logRows = `SELECT seq, message_id, destination, payload, recorded_at, headers
  FROM workflow_messages JOIN (SELECT seq, headers FROM message_rows) USING (seq) ORDER BY seq`;

/**
 * Throws `STORE_CORRUPT` if a new store is not sound, or does not have exactly the same messages as the older
 * store.
 */
function requireSameLog(old: Connection, db: Connection) {
  const wrong = [...damageOf(db), ...schemaDifferences(db), ...blockDifferences(preparer(db))];
  if (wrong[0] !== undefined) throw unequal(old, wrong[0]);
  const read = db.prepare<[], unknown[]>(logRows).raw().iterate();
  for (const row of old.prepare<[], unknown[]>(logRows).raw().iterate()) {
    const same = read.next();
    if (same.done === true || row.some((value, at) => value !== same.value[at])) {
      read.return?.();
      throw unequal(old, `message ${String(row[0])} (${String(row[1])}) would change`);
    }
  }
  if (read.next().done !== true) throw unequal(old, 'the new store would have more messages');
}

const unequal = (old: Connection, why: string) =>
  new SwfError(
    'STORE_CORRUPT',
    `the store ${old.name} cannot be upgraded and is unchanged: ${why}; run "swf-mcp check" with the version that created it`,
  );

const maxListed = 20;

interface Standing {
  execution_id: string;
  words: string;
}

/** Executions whose status or counts differ in the new store, each described in one sentence. */
function statusChanges(old: Connection, db: Connection) {
  const standings = (of: Connection) =>
    preparer(of)<Standing>(
      `SELECT execution_id, status || ', ' || slices_completed || ' of ' || slices_created || ' TF slices completed, ' ||
         slices_failed || ' failed' AS words
       FROM workflow_executions JOIN run_states USING (execution_id) ORDER BY execution_id`,
    ).all();
  const now = new Map(standings(db).map(({ execution_id, words }) => [execution_id, words]));
  const changes = standings(old).flatMap(({ execution_id, words }) => {
    const changed = now.get(execution_id) ?? 'missing';
    return changed === words ? [] : [`${execution_id} was ${words}; now it is ${changed}`];
  });
  const more = changes.length - maxListed;
  return more <= 0 ? changes : [...changes.slice(0, maxListed), `${more} more executions`];
}
