import type { Effect } from '../../domain/effects.ts';
import { areAll } from '../../observed/dialects.ts';
import type { FactOf, Said, SaidFact } from '../../observed/folding/said.ts';
import type { Fact, Statement } from '../../observed/reading/fact.ts';
import { brokerTime, type MessageLine } from '../../observed/recording-lines.ts';
import { readStatement } from '../../observed/told/read-told.ts';
import { nameNumbers } from '../log/numbers.ts';
import { insertRow } from '../log/rows.ts';
import { moveCounts, noteEarlier, noteRecordedEarlier } from '../notes/row-blocks.ts';
import { applied, none } from '../projection/effect.ts';
import type { Transaction } from '../sqlite/transaction.ts';
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
import { promptSeen, stfSaid, tfSaid, workflowSeen } from './files.ts';
import { countKeys } from './key-counts.ts';
import { dataRunTold, handedOverSaid } from './prompt.ts';
import { executionTold, extend, phaseSaid, statusTold } from './run.ts';
import { lineOf, type ObservedScope, recordedAs, saidAt, statementOf, storedOf, waitingRows } from './said.ts';
import { noteSign } from './signs.ts';
import { workSaid } from './work.ts';

/** Types of messages that are signs of life; these are counted, but not stored as rows. */
const signs: ReadonlySet<string> = new Set(['heartbeat', 'transformer_ready']);

export interface Outcome {
  /**
   * `sign`: a sign of life, which is not stored. `own`: a message from one of this store's own executions,
   * which the store has already recorded.
   */
  kind: 'new' | 'known' | 'sign' | 'own';
  /** `none`: the message contains nothing that this version understands. */
  effect?: Effect['effect'];
  execution_id?: string | undefined;
}

/**
 * Records a message from another program and applies it. Never fails because of the message's content: a
 * message that is not understood is kept. A repeated message changes nothing, and the order in which messages
 * arrive makes no difference.
 * @param number for a replay, the row's number; otherwise the next number
 */
export function recordHeard(tx: Transaction, line: MessageLine, number?: number): Outcome {
  const statement = readStatement(line);
  const sent_ms = sentAt(line);
  // A registration belongs to the execution that it registers, not to a run that is already known.
  const isRegistration = statement.fact?.kind === 'told_execution';
  const knownRun = isRegistration ? undefined : observedRunOf(tx, { ...statement, at: sent_ms });
  noteSign(tx, statement, { destination: line.destination, at: sent_ms, execution_id: knownRun?.execution_id });
  if (signs.has(statement.message_type)) return { kind: 'sign' };
  if (isOwn(tx, statement)) return { kind: 'own' };
  const effect = effectOf(statement);
  const { body, headers } = storedOf(line);
  const { message_id, known } = recordedAs(tx.sql, statement, { destination: line.destination, body });
  if (known !== undefined) {
    const said = { seq: known.seq, sent_ms, message_id, body };
    if (sent_ms < known.sent_ms)
      setEarlier(tx, observedRunCalled(tx.sql, known.execution_id ?? ''), statement, {
        line,
        said,
        before: known.sent_ms,
      });
    return { kind: 'known', effect: effect.effect, execution_id: known.execution_id ?? undefined };
  }
  const found = executionFor(tx, statement, knownRun, sent_ms);
  const { seq } = insertRow(
    tx,
    { envelope: envelopeOf(statement, found?.run), message_id, destination: line.destination, payload: body },
    effect,
    { sentAt: new Date(sent_ms).toISOString(), recordedAt: new Date(line.t).toISOString(), headers, seq: number },
  );
  if (found !== undefined) {
    const { run, isNew } = found;
    project(tx, run, statement, { seq, sent_ms, message_id, body });
    countKeys(tx, run.execution_id, statement, line);
    if (isNew) adopt(tx, run, statement);
  }
  return { kind: 'new', effect: effect.effect, execution_id: found?.run.execution_id };
}

/**
 * Moves a recorded message to an earlier time, so that the order in which recordings are read makes no
 * difference.
 */
function setEarlier(
  tx: Transaction,
  run: ObservedRun | undefined,
  statement: Statement,
  { line, said, before }: { line: MessageLine; said: Said; before: number },
) {
  // Use the stored form, since all later reads use it too.
  const stored = saidAt(tx, said.seq);
  const recorded = Date.parse(line.t);
  const update = tx.sql('UPDATE message_rows SET sent_ms = ?, recorded_ms = min(recorded_ms, ?) WHERE seq = ?');
  update.run(said.sent_ms, recorded, said.seq);
  noteEarlier(tx, 'message_rows', said.seq, new Date(said.sent_ms).toISOString());
  noteRecordedEarlier(tx, said.seq, recorded);
  if (run === undefined) return;
  tx.settle();
  project(tx, run, { ...statement, fact: stored?.fact }, { ...said, body: stored?.body ?? said.body }, stored);
  forgetLast(tx, run.execution_id, before);
}

/** Whether a message from swf-mcp belongs to one of this store's own executions, which are already recorded. */
function isOwn({ sql }: Transaction, { dialect, told_id }: Statement) {
  if (told_id === undefined || !areAll(dialect ?? '', 'isOurs')) return false;
  return sql(`SELECT 1 FROM workflow_executions WHERE execution_id = ? AND origin = 'own'`).has(told_id);
}

/**
 * When a message was sent, according to the broker's clock, which is the same for all programs; if that time is
 * missing, when the message was received. Milliseconds since 1970.
 */
const sentAt = ({ headers, t }: MessageLine) => brokerTime(headers) ?? Date.parse(t);

const envelopeOf = (statement: Statement, run: ObservedRun | undefined) => ({
  msg_type: statement.message_type,
  sender: statement.sender,
  namespace: statement.namespace ?? (run === undefined || run.namespace === '' ? undefined : run.namespace),
  execution_id: run?.execution_id,
  run_id: statement.run_id,
  simulation_tick: statement.simulation_tick,
});

/**
 * The effect, which depends only on the message. The tables decide which of several messages about the same
 * fact counts.
 */
function effectOf({ fact, run_id, told_id, message_type, hidden }: Statement): Effect {
  if (hidden !== undefined)
    return {
      effect: 'rejected',
      code: 'UNREADABLE',
      reason: `${hidden} contains invisible characters; send a name of letters, digits and signs`,
    };
  if (fact !== undefined && (run_id !== undefined || told_id !== undefined)) return applied;
  return none(
    'KEPT',
    fact === undefined
      ? `${message_type} states nothing that this version understands`
      : 'names neither a run nor an execution',
  );
}

/** The execution of a message. `isNew`: the message created it, or gave it its namespace. */
interface FoundRun {
  run: ObservedRun;
  isNew: boolean;
}

function named(tx: Transaction, run: ObservedRun, namespace: string | undefined): FoundRun {
  if (run.namespace !== '' || namespace === undefined) return { run, isNew: false };
  nameNamespace(tx, run, namespace);
  return { run: { ...run, namespace }, isNew: true };
}

function executionFor(
  tx: Transaction,
  { namespace, run_id, told_id, fact, hidden }: Statement,
  run: ObservedRun | undefined,
  at: number,
): FoundRun | undefined {
  if (hidden !== undefined) return undefined;
  if (fact?.kind === 'told_execution' && told_id !== undefined) {
    const registered = registeredRun(tx, { namespace, run_id, told_id, start_time: fact.start_time }, at);
    return registered.isNew ? registered : named(tx, registered.run, namespace);
  }
  if (run !== undefined) return named(tx, run, namespace);
  if (run_id === undefined || told_id === undefined) return undefined;
  const names = { namespace, run_id, told_id };
  return { run: runOfRegistered(tx, names, at) ?? createObservedRun(tx, names, at), isNew: true };
}

type Apply<F extends Fact> = (scope: ObservedScope, said: SaidFact<F>, earlier: SaidFact<F> | undefined) => void;

const apply: { [K in Fact['kind']]: Apply<FactOf<K>> | undefined } = {
  phase: phaseSaid,
  stf_gen: stfSaid,
  stf_ready: stfSaid,
  told_stf: stfSaid,
  told_stf_ready: stfSaid,
  told_jobs: stfSaid,
  handed_over: (scope, ...said) => {
    promptSeen(scope);
    handedOverSaid(scope, ...said);
  },
  told_run: dataRunTold,
  tf_file_registered: tfSaid,
  told_tf: tfSaid,
  slice: workSaid,
  result: workSaid,
  told_slice: workSaid,
  told_execution: executionTold,
  told_status: statusTold,
  told: undefined,
  workers: undefined,
};

/** @param earlier the message as recorded before, if any */
function project(tx: Transaction, run: ObservedRun, { fact, dialect }: Statement, said: Said, earlier?: Said) {
  extend(tx, run.execution_id, said.sent_ms, dialect);
  if (fact === undefined) return;
  const applyFact = apply[fact.kind] as Apply<Fact> | undefined;
  const scope = { tx, sql: tx.sql, ...run };
  workflowSeen(scope, fact);
  applyFact?.(scope, { ...said, fact }, earlier && { ...earlier, fact });
}

/**
 * Assigns earlier messages to a run whose execution or namespace is now known. These include messages that
 * name the execution but no run.
 */
function adopt(tx: Transaction, run: ObservedRun, { run_id, told_id }: Statement) {
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

/** Whether a waiting message belongs to a run. */
function isOf(tx: Transaction, run: ObservedRun, statement: Statement, at: number) {
  const { namespace, run_id, told_id } = statement;
  if (namespace !== undefined && run.namespace !== '' && namespace !== run.namespace) return false;
  // The message may contain the run's name in a text without being about the run.
  if (run_id === undefined && told_id === undefined) return false;
  return told_id === undefined || observedRunOf(tx, { ...statement, at })?.execution_id === run.execution_id;
}
