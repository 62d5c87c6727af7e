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
import type { Store } from '../../db/opening/store.ts';
import { type Prepare, preparer } from '../../db/sqlite/statements.ts';
import { counted } from '../../lib/counted.ts';
import { SwfError, valueInvalid } from '../../lib/errors.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { utcNow } from '../../lib/time.ts';
import { removeDataFolder, whyLeft } from '../../runtime/data-folder.ts';
import { type Io, storePath, userName } from '../shared/io.ts';
import { existingStore } from '../shared/own-store.ts';
import { printLines } from '../shared/print-lines.ts';

interface PruneArguments {
  keep?: number;
  /** Age in seconds. */
  olderThan?: number;
  dryRun: boolean;
  observed: boolean;
}

/** `swf-mcp prune`: removes ended executions completely, with their data files. */
export async function pruneCommand(io: Io, { keep, olderThan, dryRun, observed }: PruneArguments) {
  if (keep === undefined && olderThan === undefined)
    throw valueInvalid('say what to remove: --keep N, --older-than AGE, or both');
  const path = storePath(io);
  const endedBefore = olderThan === undefined ? undefined : new Date(Date.now() - olderThan * 1000).toISOString();
  const rule = { keep, endedBefore, observed };
  if (dryRun) return tellRemovable(io, path, rule);
  using store = await existingStore(io, { commitsApart: 1 });
  await prune(io, store, rule);
}

async function tellRemovable(io: Io, path: string, rule: RemovalRule) {
  using db = openReader(path);
  const sql = preparer(db);
  const copyOf = whyACopy(sql, path);
  const found = removableExecutions(sql, rule, isAlive);
  const all: (Removal & Partial<(typeof found)[number]>)[] = [...openRemovals(sql), ...found];
  for (const { execution_id, data_folder: folder, status, end_time } of all) {
    const state = status === undefined ? '' : `, ${status} ${end_time ?? ''}`;
    const left = folder === null ? undefined : (copyOf ?? (await whyLeft(folder, execution_id, path)));
    const kept =
      left === undefined ? `, with the folder ${folder}` : `; the folder ${folder} would be left in place: ${left}`;
    const will = status === undefined ? 'would continue removing' : 'would remove';
    printLines(io, [`${will} ${execution_id}${state}${folder === null ? '' : kept}`]);
  }
  printLines(io, [`${executionsIn(found.length)} would be removed`]);
  tellRunning(io, sql);
}

/** If the store is a copy, the reason why no data files are removed: they belong to the original. */
function whyACopy(sql: Prepare, path: string) {
  const home = homeOf(sql);
  if (home === undefined || home === realpathSync(path)) return undefined;
  return `it belongs to the store ${home}, of which this one is a copy`;
}

function tellRunning(io: Io, sql: Prepare) {
  const running = runningCount(sql);
  if (running > 0)
    printLines(io, [
      `${executionsIn(running)} marked as running ${running === 1 ? 'is' : 'are'} kept; stop or resume any that was interrupted`,
    ]);
}

async function prune(io: Io, store: Store, rule: RemovalRule) {
  const { sql } = store;
  const copyOf = whyACopy(sql, store.path);
  const failures: SwfError[] = [];
  const removeData = async (folder: string, executionId: string) => {
    const left = copyOf ?? (await removeDataFolder(folder, executionId, store.path));
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
  // Messages and log lines without an execution are useful as long as executions from the same time are kept.
  const oldest = [oldestStart(sql) ?? utcNow(), rule.endedBefore ?? '9999'].toSorted()[0] as string;
  const strays = await removeStrays(store, oldest);
  if (rule.observed === true && rule.endedBefore !== undefined) await forgetPrograms(store, rule.endedBefore);
  await removeWords(store);
  await forgetEarlierAgents(store);
  const removed = removable.length - failures.length;
  printLines(io, [
    `${executionsIn(removed)} removed${strays === 0 ? '' : `; messages and log lines that belonged to no execution: ${strays}`}${removed === 0 ? '' : '; the space in the store will be reused, and "swf-mcp backup" writes a smaller copy'}`,
  ]);
  tellRunning(io, sql);
  for (const { line } of failures.slice(1)) io.err(line);
  if (failures[0] !== undefined) throw failures[0];
}

const executionsIn = (executions: number) => counted(executions, 'execution');
