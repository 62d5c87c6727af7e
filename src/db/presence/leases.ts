import { livenessOf } from '../../domain/liveness.ts';
import { executionInUse } from '../../lib/errors.ts';
import type { ProcessIdentity } from '../../lib/process-identity.ts';
import { wallNow } from '../../lib/time.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** As SQL: the columns of `processes` that show whether one is alive. */
export const signColumns = 'pid, pid_started, hostname, last_beat, is_remote';

/** A process by the columns that show whether it is alive. */
export interface ProcessSigns extends ProcessIdentity {
  /** ISO 8601. */
  last_beat: string;
  /** 1 for a process without a store: only its heartbeats over the broker show that it is alive. */
  is_remote: number;
}

/** Whether a process is alive; undefined if only heartbeats show it. */
export interface LivenessTest {
  (identity: ProcessIdentity): boolean | undefined;
  /** The moment in question, in milliseconds since 1970; defaults to the present. */
  now?: number;
}

/** The moment of a question: which processes are alive then, and its time in milliseconds since 1970. */
export interface Moment {
  isAlive: LivenessTest;
  now: number;
}

/** The moment that a test is about, in milliseconds since 1970. */
export const momentOfTest = ({ now = Date.now() }: LivenessTest) => now;

/** The process that has the lease of an execution, or had it last. */
export interface Owner extends ProcessSigns {
  process_id: number;
  epoch: number;
  /** By the wall clock of the process, ISO 8601. */
  taken_at: string;
}

/** Registers a process that writes here. Returns its id. @param version of swf-mcp */
export function registerProcess({ sql }: Transaction, identity: ProcessIdentity, version: string): number {
  const now = wallNow();
  const { lastInsertRowid } = sql(
    'INSERT INTO processes (pid, pid_started, hostname, version, registered_at, last_beat) VALUES (?, ?, ?, ?, ?, ?)',
  ).run(identity.pid, identity.pid_started, identity.hostname, version, now, now);
  return Number(lastInsertRowid);
}

export function isProcessAlive(row: ProcessSigns, isAlive: LivenessTest): boolean {
  if (isRemote(row)) return livenessOf(row.last_beat, momentOfTest(isAlive)) !== 'gone';
  return isAlive(row) ?? !isSilent(row, isAlive);
}

/** Whether a process has no store and is known by its heartbeats over the broker. */
export const isRemote = ({ is_remote }: Pick<ProcessSigns, 'is_remote'>) => is_remote === 1;

/**
 * Whether a process has missed its heartbeats. If it is alive, it is stopped, or its machine is overloaded.
 */
export const isSilent = ({ last_beat }: { last_beat: string }, isAlive: LivenessTest) =>
  livenessOf(last_beat, momentOfTest(isAlive)) !== 'heard';

export const ownerOf = (sql: Prepare, executionId: string) =>
  sql<Owner>(
    `SELECT process_id, ${signColumns}, epoch, taken_at FROM execution_owners JOIN processes USING (process_id)
     WHERE execution_id = ?`,
  ).get(executionId);

/**
 * The process that drives an execution, or drove it last. Its liveness is checked only when a caller asks: in
 * getters, which V8 creates slowly, it cost a monitor 45 µs.
 */
export function driverOf(sql: Prepare, executionId: string, isAlive: LivenessTest) {
  const owner = ownerOf(sql, executionId);
  if (owner === undefined) return undefined;
  const { pid, hostname } = owner;
  return {
    pid,
    hostname,
    isAlive: () => isProcessAlive(owner, isAlive),
    /** It has missed its heartbeats. */
    isSilent: () => isSilent(owner, isAlive),
  };
}

/**
 * The running executions whose driver is gone, newest first, with the last heartbeat of each driver.
 * @param namespace undefined: all
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
 * Gives a process the lease of an execution: it becomes the driver. Returns the new epoch, the fencing token
 * of every write. Throws `EXECUTION_IN_USE` while another driver is alive.
 */
export function takeOwnership(tx: Transaction, executionId: string, processId: number, isAlive: LivenessTest): number {
  const owner = ownerOf(tx.sql, executionId);
  // A process may retake an execution that it left itself.
  if (owner !== undefined && owner.process_id !== processId && isProcessAlive(owner, isAlive))
    throw executionInUse(
      `${executionId} is driven by process ${owner.pid} on ${owner.hostname}; wait until it ends, or stop it first`,
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
 * When a process was last heard from: a heartbeat, or a message or log line of its agents. `at` is UTC in ISO
 * 8601.
 */
interface LastSign {
  at: string;
  by: 'beat' | 'message' | 'log';
}

/** A killed process dies between two heartbeats; its agents may have sent messages since the last one. */
export function lastSignOf(sql: Prepare, { process_id, last_beat }: { process_id: number; last_beat: string }) {
  const signs: LastSign[] = [{ at: last_beat, by: 'beat' }];
  const agents = sql<string>('SELECT agent_name FROM system_agents WHERE process_id = ?').values(process_id);
  for (const agent of agents) {
    const message = sql<string>(
      `SELECT ${messageColumns.recorded_at} FROM message_rows WHERE sender_no = ${numberOf('?')} ORDER BY seq DESC LIMIT 1`,
    ).value(agent);
    const line = sql<string>('SELECT timestamp FROM app_logs WHERE agent = ? ORDER BY log_id DESC LIMIT 1').value(
      agent,
    );
    if (message !== undefined) signs.push({ at: message, by: 'message' });
    if (line !== undefined) signs.push({ at: line, by: 'log' });
  }
  return signs.reduce((last, sign) => (sign.at > last.at ? sign : last));
}
