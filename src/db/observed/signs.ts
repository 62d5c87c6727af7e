import type { AgentType } from '../../domain/states.ts';
import { programTypeOf, type ProgramType } from '../../observed/message-types.ts';
import type { Statement } from '../../observed/reading/fact.ts';
import type { MessageLine } from '../../observed/recording-lines.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** The programs that are agents of the workflow. */
const agentTypeOf: Partial<Record<ProgramType, AgentType>> = {
  runner: 'daq_simulator',
  'data agent': 'data',
  'fastmon agent': 'fastmon',
  'fast processing agent': 'fast_processing',
  transformer: 'worker',
};

/** A sign of life is written when it is so much later than the last. Milliseconds. */
const worthWriting = 1000;

const lastSigns = new WeakMap<Transaction, Map<string, number>>();

/** Notes that a program has said something. Its broker's clock tells when, since that of its host may be off. @param at milliseconds since 1970 */
export function noteSign(
  tx: Transaction,
  { sender, namespace = '', message_type, fact }: Statement,
  { line, at, execution_id }: { line: MessageLine; at: number; execution_id: string | undefined },
): void {
  const type = agentTypeOf[programTypeOf(message_type, line.destination) ?? 'person'];
  if (sender === undefined || type === undefined) return;
  const known = lastSigns.get(tx) ?? new Map<string, number>();
  lastSigns.set(tx, known);
  if (at - (known.get(sender) ?? 0) < worthWriting) return;
  known.set(sender, at);
  const host = fact?.kind === 'result' ? (fact.hostname ?? '') : '';
  const time = new Date(at).toISOString();
  const { sql } = tx;
  const row = sql<unknown[], { process_id: number }>(
    `INSERT INTO processes (pid, pid_started, hostname, version, registered_at, last_beat, is_remote) VALUES (0, ?, '', '', ?, ?, 1)
     ON CONFLICT (hostname, pid, pid_started) WHERE ${indexPredicates.remoteProcess} DO UPDATE SET last_beat = max(last_beat, excluded.last_beat), ended = NULL
     RETURNING process_id`,
  ).get(sender, time, time);
  sql(
    `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id, heard_on, current_execution_id) VALUES (?, ?, ?, 'READY', ?, ?, ?, ?)
     ON CONFLICT (agent_name) DO UPDATE SET namespace = iif(excluded.namespace = '', namespace, excluded.namespace),
       last_heartbeat = max(last_heartbeat, excluded.last_heartbeat), heard_on = iif(excluded.heard_on = '', heard_on, excluded.heard_on),
       current_execution_id = coalesce(excluded.current_execution_id, current_execution_id)
     WHERE heard_on IS NOT NULL`,
  ).run(sender, type, namespace, time, row?.process_id ?? 0, host, execution_id ?? null);
}
