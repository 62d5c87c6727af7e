import { livenessOf } from '../../domain/liveness.ts';
import { executionInUse } from '../../lib/errors.ts';
import type { ProcessIdentity } from '../../lib/process-identity.ts';
import { wallNow } from '../../lib/time.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** As SQL: the columns of `processes` that show whether a process is alive. */
export const signColumns = 'pid, pid_started, hostname, last_beat, is_remote';

/** The columns of a process that show whether it is alive. */
export interface ProcessSigns extends ProcessIdentity {
  /** ISO 8601. */
  last_beat: string;
  /** 1 for a process without a store: only its heartbeats over the broker show that it is alive. */
  is_remote: number;
}

/** Whether a process is alive; undefined if only its heartbeats can tell. */
export interface LivenessTest {
  (identity: ProcessIdentity): boolean | undefined;
  /** The moment in question, in milliseconds since 1970; now by default. */
  now?: number;
}

/**
 * The moment that a question is about: which processes are alive at that moment, and the time in milliseconds
 * since 1970.
 */
export interface Moment {
  isAlive: LivenessTest;
  now: number;
}

/** The moment for which a liveness test holds, in milliseconds since 1970. */
export const momentOfTest = ({ now = Date.now() }: LivenessTest) => now;

/** The process that holds the lease for an execution, or last held it. */
export interface Owner extends ProcessSigns {
  process_id: number;
  epoch: number;
  /** When the lease was taken, by the wall clock of the process, ISO 8601. */
  taken_at: string;
}

/** Registers a process that writes to this store, and returns its id. @param version of swf-mcp */
export function registerProcess({ sql }: Transaction, identity: ProcessIdentity, version: string) {
  const now = wallNow();
  const { lastInsertRowid } = sql(
    'INSERT INTO processes (pid, pid_started, hostname, version, registered_at, last_beat) VALUES (?, ?, ?, ?, ?, ?)',
  ).run(identity.pid, identity.pid_started, identity.hostname, version, now, now);
  return Number(lastInsertRowid);
}

export function isProcessAlive(row: ProcessSigns, isAlive: LivenessTest) {
  if (isRemote(row)) return livenessOf(row.last_beat, momentOfTest(isAlive)) !== 'gone';
  return isAlive(row) ?? !isSilent(row, isAlive);
}

/** Whether a process has no store and is known only from its heartbeats over the broker. */
export const isRemote = ({ is_remote }: Pick<ProcessSigns, 'is_remote'>) => is_remote === 1;

/**
 * Whether a process has missed its heartbeats. If such a process is alive, it is suspended, or its machine is
 * overloaded.
 */
export const isSilent = ({ last_beat }: { last_beat: string }, isAlive: LivenessTest) =>
  livenessOf(last_beat, momentOfTest(isAlive)) !== 'heard';

export const ownerOf = (sql: Prepare, executionId: string) =>
  sql<Owner>(
    `SELECT process_id, ${signColumns}, epoch, taken_at FROM execution_owners JOIN processes USING (process_id)
     WHERE execution_id = ?`,
  ).get(executionId);

/**
 * The process that drives an execution, or last drove it. Liveness is checked only on request, by functions
 * rather than getters: V8 creates getters so slowly that they would add 45 µs to a monitor's answer.
 */
export function driverOf(sql: Prepare, executionId: string, isAlive: LivenessTest) {
  const owner = ownerOf(sql, executionId);
  if (owner === undefined) return undefined;
  const { pid, hostname } = owner;
  return {
    pid,
    hostname,
    isAlive: () => isProcessAlive(owner, isAlive),
    isSilent: () => isSilent(owner, isAlive),
  };
}

/**
 * The running executions whose driver is gone, newest first, with the last heartbeat of each driver.
 * @param namespace all namespaces if undefined
 */
export const interruptedExecutions = (sql: Prepare, namespace: string | undefined, isAlive: LivenessTest) =>
  sql<ProcessSigns & { execution_id: string; process_id: number }>(
    `SELECT execution_id, process_id, ${signColumns}
     FROM workflow_executions JOIN execution_owners USING (execution_id) JOIN processes USING (process_id)
     WHERE status = 'running' AND (? IS NULL OR namespace = ?) ORDER BY seq DESC`,
  )
    .all(namespace ?? null, namespace ?? null)
    .filter((row) => !isProcessAlive(row, isAlive));

/**
 * Gives a process the lease for an execution, which makes it the driver. Returns the new epoch, which is the
 * fencing token in every write. Throws `EXECUTION_IN_USE` while another driver is alive.
 */
export function takeOwnership(tx: Transaction, executionId: string, processId: number, isAlive: LivenessTest) {
  const owner = ownerOf(tx.sql, executionId);
  // A process may retake an execution that it abandoned itself.
  if (owner !== undefined && owner.process_id !== processId && isProcessAlive(owner, isAlive))
    throw executionInUse(
      `${executionId} is driven by process ${owner.pid} on ${owner.hostname}; only a run whose process is gone can be resumed`,
    );
  return tx
    .sql<number>(
      `INSERT INTO execution_owners (execution_id, process_id, epoch, taken_at) VALUES (?, ?, 1, ?)
       ON CONFLICT (execution_id) DO UPDATE SET process_id = excluded.process_id, epoch = epoch + 1, taken_at = excluded.taken_at
       RETURNING epoch`,
    )
    .value(executionId, processId, wallNow()) as number;
}

/**
 * The last sign of life of a process: a heartbeat, or a message or log line from its agents. `at` is ISO 8601
 * in UTC.
 */
interface LastSign {
  at: string;
  by: 'beat' | 'message' | 'log';
}

/**
 * As SQL: a process's last heartbeat $last_beat, and the newest message and log line from each of its agents.
 */
const signs = `SELECT $last_beat AS at, 'beat' AS by
  UNION ALL SELECT (SELECT ${messageColumns.recorded_at} FROM message_rows WHERE sender_no = ${numberOf('agent_name')} ORDER BY seq DESC LIMIT 1), 'message'
    FROM system_agents WHERE process_id = $process_id
  UNION ALL SELECT (SELECT timestamp FROM app_logs WHERE agent = agent_name ORDER BY log_id DESC LIMIT 1), 'log' FROM system_agents WHERE process_id = $process_id`;

/**
 * A killed process dies between two heartbeats; its agents may have sent messages since its last heartbeat.
 */
export const lastSignOf = (sql: Prepare, { process_id, last_beat }: { process_id: number; last_beat: string }) =>
  sql<LastSign>(`SELECT * FROM (${signs}) ORDER BY at DESC, by = 'beat' DESC, by DESC LIMIT 1`).get({
    process_id,
    last_beat,
  }) as LastSign;
