import type { Effect } from '../../domain/effects.ts';
import type { Statement } from '../../observed/reading/fact.ts';
import type { MessageLine } from '../../observed/recording-lines.ts';
import { readStatement } from '../../observed/told/read-statement.ts';
import { nameNumbers } from '../log/name-numbers.ts';
import { insertRow } from '../log/rows.ts';
import { numberOf } from '../migrations/names.ts';
import { moveCounts, noteEarlier, noteRecordedEarlier } from '../notes/row-blocks.ts';
import { applied, none } from '../projection/effect.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { rebuildAfter, resultSaid, sliceSaid } from './attempts.ts';
import {
  createObservedRun,
  forgetLast,
  nameNamespace,
  type ObservedRun,
  observedRunCalled,
  observedRunOf,
  registeredRun,
  runOfRegistered,
} from './executions.ts';
import { extend } from './extents.ts';
import { stfSaid, tfSaid } from './files.ts';
import { countKeys } from './key-counts.ts';
import { phaseSaid } from './phases.ts';
import { recordedAs } from './recorded-as.ts';
import { lineOf, type ObservedScope, type Said, statementOf, storedOf, type StoredMessage } from './said.ts';
import { noteSign } from './signs.ts';
import { toldSaid } from './told.ts';

/** Types that are signs of life: they are counted, and no rows. */
const signs: ReadonlySet<string> = new Set(['heartbeat', 'transformer_ready']);

/** The outcome of recording a message that was heard. */
export interface Outcome {
  /** A sign of life is no row; a message of an execution of this store is on record already. */
  kind: 'new' | 'known' | 'sign' | 'own';
  /** It states nothing that is known here. */
  isKept: boolean;
  execution_id?: string | undefined;
}

/**
 * Records a message of other programs and gives it its effect. Never fails for what it says: what is not understood is kept. The same message again
 * changes nothing, and the order in which messages come makes no difference.
 * @param number of the row, when a log is read again; otherwise it is the next one
 */
export function recordHeard(tx: Transaction, line: MessageLine, number?: number): Outcome {
  const statement = readStatement(line);
  const sent_ms = sentAt(line);
  const knownRun = knownRunOf(tx, statement, sent_ms);
  noteSign(tx, statement, { destination: line.destination, at: sent_ms, execution_id: knownRun?.execution_id });
  if (signs.has(statement.message_type)) return { kind: 'sign', isKept: false };
  if (isOwn(tx, statement)) return { kind: 'own', isKept: false };
  const effect = effectOf(statement);
  const isKept = effect.effect !== 'applied';
  const { body, headers } = storedOf(line);
  const { message_id, known } = recordedAs(tx.sql, statement, line);
  if (known !== undefined) {
    const said = { seq: known.seq, sent_ms, message_id };
    if (sent_ms < known.sent_ms)
      setEarlier(tx, observedRunCalled(tx, known.execution_id), statement, { line, said, before: known.sent_ms });
    return { kind: 'known', isKept, execution_id: known.execution_id ?? undefined };
  }
  const { run, isNew } = executionFor(tx, statement, { run: knownRun, at: sent_ms });
  const { seq } = insertRow(
    tx,
    { envelope: envelopeOf(statement, run), message_id, destination: line.destination, payload: body },
    effect,
    { sentAt: new Date(sent_ms).toISOString(), recordedAt: new Date(line.t).toISOString(), headers, seq: number },
  );
  if (run !== undefined) {
    project(tx, run, statement, { seq, sent_ms, message_id });
    countKeys(tx, run.execution_id, statement, line);
    if (isNew) adopt(tx, run, statement);
  }
  return { kind: 'new', isKept, execution_id: run?.execution_id };
}

/** A registration has an execution of its own. */
const knownRunOf = (tx: Transaction, statement: Statement, at: number): ObservedRun | undefined =>
  statement.fact?.kind === 'told_execution' ? undefined : observedRunOf(tx, { ...statement, at });

/** The same message was said earlier than is on record: the order in which recordings are read makes no difference. */
function setEarlier(
  tx: Transaction,
  run: ObservedRun | undefined,
  statement: Statement,
  { line, said, before }: { line: MessageLine; said: Said; before: number },
): void {
  tx.sql('UPDATE message_rows SET sent_ms = ?, recorded_ms = min(recorded_ms, ?) WHERE seq = ?').run(
    said.sent_ms,
    Date.parse(line.t),
    said.seq,
  );
  noteEarlier(tx, 'message_rows', said.seq, new Date(said.sent_ms).toISOString());
  noteRecordedEarlier(tx, said.seq, Date.parse(line.t));
  if (run === undefined) return;
  tx.settle();
  const { fact } = statement;
  // Which result stands does not depend on when it was said.
  if (fact?.kind === 'result') rebuildAfter({ tx, ...run }, { ...said, fact });
  else project(tx, run, statement, said);
  forgetLast(tx, run.execution_id, before);
}

/** Messages of swf-mcp that are of an execution of this store: its own record has them. */
function isOwn({ sql }: Transaction, { dialect, told_id }: Statement): boolean {
  if (dialect !== 'S' || told_id === undefined) return false;
  return (
    sql<[string]>(`SELECT 1 FROM workflow_executions WHERE execution_id = ? AND origin = 'own'`).get(told_id) !==
    undefined
  );
}

/** When it was said: by the broker's clock, which is the one that all have in common, else when it was heard. Milliseconds since 1970. */
function sentAt({ headers, t }: MessageLine): number {
  const stamp = headers['timestamp'] ?? '';
  return /^\d{12,14}$/.test(stamp) ? Number(stamp) : Date.parse(t);
}

const envelopeOf = (statement: Statement, run: ObservedRun | undefined) => ({
  message_type: statement.message_type,
  sender: statement.sender,
  namespace: statement.namespace ?? (run === undefined || run.namespace === '' ? undefined : run.namespace),
  execution_id: run?.execution_id,
  run_id: statement.run_id,
  simulation_tick: statement.simulation_tick,
});

/** It depends on the message alone: which of several that say the same stands is the tables' matter. */
function effectOf({ fact, run_id, told_id, message_type }: Statement): Effect {
  if (fact !== undefined && (run_id !== undefined || told_id !== undefined)) return applied;
  return none(
    'KEPT',
    fact === undefined ? `${message_type} states nothing that is known here` : 'names neither run nor execution',
  );
}

/** An execution whose namespace a message tells for the first time is new for those of that namespace. */
function named(tx: Transaction, run: ObservedRun, namespace: string | undefined): { run: ObservedRun; isNew: boolean } {
  if (run.namespace !== '' || namespace === undefined) return { run, isNew: false };
  nameNamespace(tx, run, namespace);
  return { run: { ...run, namespace }, isNew: true };
}

function executionFor(
  tx: Transaction,
  statement: Statement,
  { run, at }: { run: ObservedRun | undefined; at: number },
): { run: ObservedRun | undefined; isNew: boolean } {
  const { namespace, run_id, told_id, fact } = statement;
  if (fact?.kind === 'told_execution' && told_id !== undefined) {
    const registered = registeredRun(tx, { namespace, run_id, told_id, start_time: fact.start_time }, at);
    return registered.isNew ? registered : named(tx, registered.run, namespace);
  }
  if (run !== undefined) return named(tx, run, namespace);
  if (run_id === undefined || told_id === undefined) return { run, isNew: false };
  const names = { namespace, run_id, told_id };
  return { run: runOfRegistered(tx, names, at) ?? createObservedRun(tx, names, at), isNew: true };
}

function project(tx: Transaction, run: ObservedRun, { fact, dialect }: Statement, said: Said): void {
  const scope: ObservedScope = { tx, ...run };
  extend(tx, run.execution_id, said.sent_ms, dialect);
  if (fact === undefined) return;
  switch (fact.kind) {
    case 'phase':
      return phaseSaid(scope, { ...said, fact });
    case 'stf_gen':
    case 'stf_ready':
      return stfSaid(scope, { ...said, fact });
    case 'tf_file_registered':
      return tfSaid(scope, { ...said, fact });
    case 'workers':
      return;
    case 'slice':
      return sliceSaid(scope, { ...said, fact });
    case 'result':
      return resultSaid(scope, { ...said, fact });
    default:
      return toldSaid(scope, { ...said, fact });
  }
}

type WaitingRow = Said & StoredMessage;

/** Earlier messages of a run whose execution, or namespace, is known by now; also those that name the execution and no run. */
function adopt(tx: Transaction, run: ObservedRun, { run_id, told_id }: Statement): void {
  const { numberOf: number } = nameNumbers(tx.sql);
  let { namespace } = run;
  for (const row of waitingRows(tx, run_id, told_id)) {
    const statement = statementOf(row);
    if (!isOf(tx, { ...run, namespace }, statement, row.sent_ms)) continue;
    if (namespace === '' && statement.namespace !== undefined) {
      namespace = statement.namespace;
      nameNamespace(tx, run, namespace);
    }
    tx.sql('UPDATE message_rows SET execution_no = ?, namespace_no = coalesce(namespace_no, ?) WHERE seq = ?').run(
      number(run.execution_id),
      number(namespace === '' ? undefined : namespace),
      row.seq,
    );
    moveCounts(tx, row.seq, run.execution_id);
    project(tx, run, statement, row);
    countKeys(tx, run.execution_id, statement, lineOf(row));
  }
}

/** Whether a message that waited is of a run. */
function isOf(tx: Transaction, run: ObservedRun, statement: Statement, at: number): boolean {
  const { namespace, run_id, told_id } = statement;
  if (namespace !== undefined && run.namespace !== '' && namespace !== run.namespace) return false;
  // A text that has the name somewhere need not mean it.
  if (run_id === undefined && told_id === undefined) return false;
  return told_id === undefined || observedRunOf(tx, { ...statement, at })?.execution_id === run.execution_id;
}

function waitingRows({ sql }: Transaction, runId: string | undefined, toldId: string | undefined): WaitingRow[] {
  const columns = `seq, sent_ms, message_id, coalesce(destination, '') AS destination, body, headers`;
  const waits = 'execution_no IS NULL AND headers IS NOT NULL';
  const ofRun = sql<[string], WaitingRow>(
    `SELECT ${columns} FROM message_rows WHERE run_no = ${numberOf('?')} AND ${waits} ORDER BY seq`,
  );
  const ofName = sql<[{ name: string }], WaitingRow>(
    `SELECT ${columns} FROM message_rows WHERE run_no IS NULL AND ${waits} AND (instr(body, $name) > 0 OR instr(destination, $name) > 0) ORDER BY seq`,
  );
  return [
    ...(runId === undefined ? [] : ofRun.all(runId)),
    ...(toldId === undefined ? [] : ofName.all({ name: toldId })),
  ];
}
