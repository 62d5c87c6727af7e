import { realpathSync } from 'node:fs';

import { openRemovals, type Removal } from '../../db/log/removals.ts';
import { homeOf } from '../../db/log/store-identity.ts';
import {
  oldestStart,
  forgetPrograms,
  type RemovalRule,
  removableExecutions,
  removeExecution,
  forgetEarlierAgents,
  removeWords,
  runningCount,
} from '../../db/maintenance/prune.ts';
import { removeStrays } from '../../db/maintenance/strays.ts';
import { openReader } from '../../db/opening/open-reader.ts';
import { openExistingStore } from '../../db/opening/open-store.ts';
import type { Store } from '../../db/opening/store.ts';
import { type Prepare, preparer } from '../../db/sqlite/statements.ts';
import { counted } from '../../lib/counted.ts';
import { SwfError } from '../../lib/errors.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { utcNow } from '../../lib/time.ts';
import { removeDataFolder, whyLeft } from '../../runtime/data-folder.ts';
import { type Io, storeOptions, storePath, userName } from '../shared/io.ts';
import { printLines } from '../shared/print-lines.ts';

export interface PruneArguments {
  keep?: number;
  /** In seconds. */
  olderThan?: number;
  dryRun: boolean;
  observed: boolean;
}

/** `swf-mcp prune`: removes ended executions completely, with their data files. */
export async function pruneCommand(io: Io, { keep, olderThan, dryRun, observed }: PruneArguments) {
  const path = storePath(io);
  const endedBefore = olderThan === undefined ? undefined : new Date(Date.now() - olderThan * 1000).toISOString();
  const rule = { keep, endedBefore, observed };
  if (dryRun) return tellRemovable(io, path, rule);
  using store = await openExistingStore(path, { ...storeOptions(io), commitsApart: 1 });
  await prune(io, store, rule);
}

async function tellRemovable(io: Io, path: string, rule: RemovalRule) {
  using db = openReader(path);
  const sql = preparer(db);
  const copyOf = originalOf(sql, path);
  const tell = async (will: string, { execution_id, data_folder }: Removal, state = '') => {
    if (data_folder === null) return printLines(io, [`${will} ${execution_id}${state}`]);
    const left = copyOf === undefined ? await whyLeft(data_folder, execution_id, path) : copySentence(copyOf);
    const folder =
      left === undefined ? `, with the folder ${data_folder}` : `; the folder ${data_folder} would be left: ${left}`;
    return printLines(io, [`${will} ${execution_id}${state}${folder}`]);
  };
  for (const one of openRemovals(sql)) await tell('would continue removing', one);
  const found = removableExecutions(sql, rule, isAlive);
  for (const one of found) await tell('would remove', one, `, ${one.status} ${one.end_time ?? ''}`);
  printLines(io, [`${executionsIn(found.length)} would be removed`]);
  tellRunning(io, sql);
}

/**
 * The store of which this one is a copy: a copy describes data files that are not its own, so it must not
 * remove them.
 */
function originalOf(sql: Prepare, path: string) {
  const home = homeOf(sql);
  return home === undefined || home === realpathSync(path) ? undefined : home;
}

const copySentence = (original: string) => `it belongs to the store ${original}, of which this one is a copy`;

function tellRunning(io: Io, sql: Prepare) {
  const running = runningCount(sql);
  if (running > 0)
    printLines(io, [
      `${executionsIn(running)} marked as running ${running === 1 ? 'is' : 'are'} kept; stop or resume what was interrupted`,
    ]);
}

async function prune(io: Io, store: Store, rule: RemovalRule) {
  const { sql } = store;
  const copyOf = originalOf(sql, store.path);
  const failures: SwfError[] = [];
  const removeData = async (folder: string, executionId: string) => {
    const left = copyOf === undefined ? await removeDataFolder(folder, executionId, store.path) : copySentence(copyOf);
    if (left === undefined) return `, with the folder ${folder}`;
    io.err(`WARNING the folder ${folder} was not removed: ${left}`);
    return '';
  };
  const removable = [...openRemovals(sql), ...removableExecutions(sql, rule, isAlive)];
  for (const one of removable) {
    try {
      let folder = '';
      await removeExecution(store, one, userName(io), async (...of) => {
        folder = await removeData(...of);
      });
      printLines(io, [`removed ${one.execution_id}${folder}`]);
    } catch (error) {
      // One folder that cannot be removed must not keep the others from being removed.
      if (!(error instanceof SwfError) || error.code !== 'DATA_UNAVAILABLE') throw error;
      failures.push(error);
    }
  }
  // Messages and lines without an execution are useful together with the executions of their time.
  const oldest = [oldestStart(sql) ?? utcNow(), rule.endedBefore ?? '9999'].toSorted()[0] as string;
  const strays = await removeStrays(store, oldest);
  if (rule.observed === true && rule.endedBefore !== undefined) await forgetPrograms(store, rule.endedBefore);
  await removeWords(store);
  await forgetEarlierAgents(store);
  const removed = removable.length - failures.length;
  printLines(io, [
    `${executionsIn(removed)} removed${strays === 0 ? '' : `, and ${strays} messages and log lines that belong to no execution`}${removed === 0 ? '' : '; the space in the store will be reused, and "swf-mcp backup" writes a smaller copy'}`,
  ]);
  tellRunning(io, sql);
  for (const { line } of failures.slice(1)) io.err(line);
  if (failures[0] !== undefined) throw failures[0];
}

const executionsIn = (executions: number) => counted(executions, 'execution');
