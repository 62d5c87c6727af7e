import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { allExecutionIds, type ExecutionRow } from '../../db/execution/find-execution.ts';
import { knownParams } from '../../db/execution/params.ts';
import { openRemovals } from '../../db/log/removals.ts';
import { blockDifferences, damageOf, schemaDifferences } from '../../db/maintenance/integrity.ts';
import { replayDifferences } from '../../db/maintenance/replay.ts';
import { openReader } from '../../db/opening/open-reader.ts';
import { openStore } from '../../db/opening/open-store.ts';
import { createQueries, type Queries } from '../../db/queries.ts';
import { recordedFiles } from '../../db/reports/recorded-files.ts';
import type { Connection } from '../../db/sqlite/connection.ts';
import { preparer } from '../../db/sqlite/statements.ts';
import { notProcessed } from '../../domain/data-words.ts';
import { isPrompt } from '../../domain/workflows.ts';
import { counted, someOf } from '../../lib/counted.ts';
import { SwfError } from '../../lib/errors.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { compareFile } from '../../runtime/compare-file.ts';
import { promptFiles } from '../../tools/monitor/words.ts';
import { exitCodes, type Io, storePath } from '../shared/io.ts';
import { printLines } from '../shared/print-lines.ts';
import type { StrictArguments } from './strict.ts';

interface CheckArguments extends StrictArguments {
  skipFiles: boolean;
  deep: boolean;
  strict: boolean;
}

/**
 * `fail`: something is wrong. `open`: something is not done yet. `left`: an ended execution left something
 * undone.
 */
type State = 'ok' | 'open' | 'left' | 'fail';

/** The width of the subject column; a longer subject shifts only its own line. */
const maxWidth = 40;

/** How many executions without a problem get a line each: a flood of messages may name thousands. */
const shownFine = 200;

/**
 * `swf-mcp check`: checks the store's file, the balance of every execution's records, and the data files.
 * Prints a line for each, with the ids of whatever is wrong. Returns 1 if anything is wrong.
 */
export async function checkCommand(io: Io, { strict, ...args }: CheckArguments) {
  if (!strict) return checkAll(io, args);
  const { code, execution_id } = await (await import('./strict.ts')).strictCheck(io, args);
  // Data files are read only with `--deep`.
  if (code !== exitCodes.fine || !args.deep) return code;
  const isSound = (await checkAll(io, { ...args, executionId: execution_id, deep: false })) === exitCodes.fine;
  return isSound ? code : exitCodes.workflowFailed;
}

async function checkAll(io: Io, { executionId, skipFiles, deep }: Omit<CheckArguments, 'strict'>) {
  const path = storePath(io);
  using db = openReader(path);
  let failed = false;
  let width = 'integrity'.length;
  const tell = (state: State, subject: string, what: string) => {
    failed ||= state === 'fail';
    printLines(io, [`${state.padEnd(4)}  ${subject.padEnd(width)}  ${what}`]);
  };
  /** Runs one check. A part that cannot be read must not prevent the other checks. */
  const attempt = async (subject: string, look: () => Promise<void> | void) => {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof SwfError)) throw error;
      // The execution was there when the list was made, and has been pruned since.
      if (error.code === 'EXECUTION_NOT_FOUND' && executionId === undefined) return;
      tell('fail', subject, error.line);
    }
  };
  const queries = createQueries(db, isAlive);
  if (executionId === undefined) {
    await attempt('integrity', () => tellAll(tell, 'integrity', damageOf(db), 'no damage in the file'));
    await attempt('schema', () => {
      const wrong = schemaDifferences(db);
      tellAll(tell, 'schema', wrong, 'as this version creates it');
      if (wrong.length > 0) return;
      const blocks = queries.snapshot(() => blockDifferences(preparer(db)));
      tellAll(tell, 'blocks', blocks, 'the indexes on times, words and counts cover all rows', mendBlocks);
    });
  }
  const open = openRemovals(preparer(db));
  if (deep && open.length > 0)
    tell('open', 'log', 'is not compared while an execution is being removed; finish the removal with "swf-mcp prune"');
  else if (deep) await attempt('log', () => tellReplay(tell, path));
  for (const removal of executionId === undefined ? open : [])
    tell(
      'open',
      removal.execution_id,
      'is being removed; if the removal was interrupted, the next "swf-mcp prune" continues it',
    );
  const ids = executionId === undefined ? allExecutionIds(preparer(db)) : [queries.execution(executionId).execution_id];
  width = ids.reduce((widest, id) => Math.max(widest, Math.min(id.length, maxWidth)), 0);
  let fine = 0;
  const tellOfRun: Tell = (state, ...words) => {
    if (state === 'ok') fine += 1;
    if (state !== 'ok' || fine <= shownFine) tell(state, ...words);
  };
  for (const id of ids)
    await attempt(id, async () => {
      const execution = queries.snapshot(() => {
        const found = queries.execution(id);
        tellAudit(tellOfRun, queries, found);
        return found;
      });
      if (!skipFiles) await checkFiles(tellOfRun, db, execution);
    });
  if (fine > shownFine) tell('ok', 'others', `${counted(fine - shownFine, 'more line')} without faults`);
  return failed ? exitCodes.mendable : exitCodes.fine;
}

const mendBlocks = 'lists may be missing rows: restore a backup';

type Tell = (state: State, subject: string, what: string) => void;

function tellAll(tell: Tell, subject: string, wrong: readonly string[], fine: string, mend = 'restore a backup') {
  if (wrong.length === 0) tell('ok', subject, fine);
  else tell('fail', subject, `${someOf(wrong)}; ${mend}`);
}

/** Reads the log into an empty store in a temporary folder, and compares the two stores. */
async function tellReplay(tell: Tell, path: string) {
  const folder = mkdtempSync(join(tmpdir(), 'swf-mcp-check-'));
  using db = openReader(path);
  try {
    using empty = await openStore(join(folder, 'replayed.db'));
    // Read one state of the store, however long the check takes.
    db.exec('BEGIN');
    const { sentences, count } = await replayDifferences(preparer(db), empty);
    for (const sentence of sentences) tell('fail', 'log', sentence);
    if (count > sentences.length) tell('fail', 'log', counted(count - sentences.length, 'more difference'));
    if (count === 0) tell('ok', 'log', 'a replay gives the same rows');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How an execution of other programs ended, in words, if something in it is still open. */
const endings: Readonly<Record<string, string>> = {
  unknown: 'its end was not reported',
  completed: 'completed, but its data is not known to be complete',
};

const nowOf = (queries: Queries, execution: ExecutionRow) =>
  queries.isSilent(execution) ? 'running without a driver' : execution.status;

function tellAudit(tell: Tell, queries: Queries, execution: ExecutionRow) {
  const { verdict, checks } = queries.audit(execution);
  const record = queries.executionRecord(execution);
  const { execution_id, status, stf_count, tf_files_received, slices_completed, slices_created } = execution;
  const files = counted(stf_count, 'STF file');
  const isCounted = queries.whySlicesUncounted(execution) === undefined;
  const slices = isCounted ? `, ${slices_completed} of ${slices_created} TF slices completed` : '';
  const counts = isPrompt(execution)
    ? promptFiles(files, execution, record)
    : `${files}, ${counted(tf_files_received, 'TF sample')}${slices}`;
  // In a stopped or failed execution, nothing counts as open: the execution stays as it is.
  const isEndedEarly = verdict === 'open' && status !== 'running';
  const stateOf = { balanced: 'ok', open: 'open', broken: 'fail' } as const;
  const ended = endings[status] ?? `${status} before everything was done`;
  if (isEndedEarly) tell('ok', execution_id, `${ended}, and the records agree: ${counts}`);
  else tell(stateOf[verdict], execution_id, `${nowOf(queries, execution)}, ${verdict}: ${counts}`);
  const failed = isPrompt(execution) ? 0 : record.slices_exhausted;
  if (failed > 0) tell('left', execution_id, notProcessed(failed));
  for (const { check, state, expected, found, ids, id_count, problem } of checks) {
    if (state === 'ok') continue;
    const some = ids.length === 0 ? `${id_count} of them` : someOf(ids, id_count);
    const which = id_count === 0 ? '' : `: ${some}`;
    const undone = isEndedEarly ? 'left' : 'open';
    tell(state === 'broken' ? 'fail' : undone, execution_id, `${check} ${found} of ${expected}, ${problem}${which}`);
  }
}

/** Checks that the recorded files exist, and that they have their recorded checksums. */
async function checkFiles(tell: Tell, db: Connection, execution: ExecutionRow) {
  const params = knownParams(preparer(db), execution);
  if (params === undefined) return;
  const { execution_id } = execution;
  const { data, daq_state_machine } = params;
  if (!data.write_files || data.dir === undefined) return;
  const folder = join(data.dir, execution_id);
  const frameBytes = daq_state_machine.tf_size_bytes;
  const wrong: string[] = [];
  let [count, elsewhere] = [0, 0];
  for (const file of recordedFiles(preparer(db), execution_id)) {
    const { state, problem, isElsewhere } = await compareFile(file, { folder, frameBytes, url: data.url });
    if (isElsewhere === true) elsewhere += 1;
    else count += 1;
    if (state !== 'fine' && isElsewhere !== true) wrong.push(problem ?? `${file.name} is ${state}`);
  }
  if (wrong.length > 0) tell('fail', execution_id, `files in ${folder}: ${someOf(wrong)}`);
  else tell('ok', execution_id, `${counted(count, 'file')} in ${folder}`);
  if (elsewhere > 0) tell('left', execution_id, `${counted(elsewhere, 'file')} on other hosts, not checked`);
}
