import type { AgentState, KnownAgentType } from '../../domain/states.ts';
import { programTypeOf, type ProgramType } from '../../messages/foreign.ts';
import type { Fact, Statement } from '../../observed/reading/fact.ts';
import { restOf } from '../../observed/told/rest-call.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { buffered } from '../sqlite/buffered.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** The programs that are agents of the workflow. */
const agentTypeOf: Partial<Record<ProgramType, KnownAgentType>> = {
  runner: 'daq_simulator',
  'data agent': 'data',
  'fastmon agent': 'fastmon',
  'fast processing agent': 'fast_processing',
  transformer: 'worker',
};

/** The agents that write to the testbed's monitor, by the facts that they report there. */
const writers: Partial<Record<Fact['kind'], KnownAgentType>> = {
  told_stf: 'data',
  told_jobs: 'processing',
};

interface Sign {
  type: KnownAgentType;
  namespace: string;
  host: string;
  execution_id: string | undefined;
  /** Milliseconds since 1970. */
  at: number;
  /** The state that the program reports, if any. */
  state?: AgentState;
}

/** A program's signs of life in one transaction: the first one, and all of them combined. */
interface Gathered {
  first: Sign;
  all: Sign;
}

/**
 * A recording is read in large parts, so a program's first message in each part is noted too: it shows since
 * when the program has been running.
 */
const signs = buffered((tx, sender, { first, all }: Gathered) => {
  if (first.at < all.at) noteProgram(tx, sender, first);
  noteProgram(tx, sender, all);
});

/**
 * Records when a program sent something, by the broker's clock, since the program's host may have a wrong
 * clock. Written once per transaction, which may contain many messages from a program.
 * @param at milliseconds since 1970
 */
export function noteSign(
  tx: Transaction,
  { sender, namespace = '', message_type, fact }: Statement,
  { destination, at, execution_id }: { destination: string; at: number; execution_id: string | undefined },
) {
  const call = restOf(destination);
  // An object that is later read from the monitor is not a sign of life.
  if (call?.method === 'GET') return;
  const program = programTypeOf(message_type, destination) ?? 'person';
  const type = call === undefined ? agentTypeOf[program] : fact && writers[fact.kind];
  if (sender === undefined || type === undefined) return;
  const host = (fact?.kind === 'result' ? fact.hostname : undefined) ?? '';
  const sign = { type, namespace, host, execution_id, at };
  signs(tx, sender, ({ first, all } = { first: sign, all: sign }) => ({
    first: at < first.at ? sign : first,
    all: together(sign, all),
  }));
}

/** Combines two signs of life from one program: the earlier sign provides the fields that the later one lacks. */
const together = (sign: Sign, before: Sign) => ({
  type: sign.type,
  namespace: sign.namespace || before.namespace,
  host: sign.host || before.host,
  execution_id: sign.execution_id ?? before.execution_id,
  at: Math.max(sign.at, before.at),
});

/**
 * Whether a name belongs to an agent of this store in a namespace. Such an agent's heartbeats show more than
 * its messages.
 */
const isOwnAgent = (sql: Prepare, name: string, namespace: string) =>
  sql(`SELECT 1 FROM system_agents WHERE agent_name = ? AND namespace = ? AND ${indexPredicates.ownAgent}`).has(
    name,
    namespace,
  );

/**
 * Records a sign of life from another program. Never changes an agent of this store, whatever name the
 * program uses.
 */
export function noteProgram({ sql }: Transaction, sender: string, sign: Sign) {
  const { type, namespace, host, execution_id = null, at, state = null } = sign;
  if (isOwnAgent(sql, sender, namespace)) return;
  const time = new Date(at).toISOString();
  const process_id = sql<number>(
    `INSERT INTO processes (pid, pid_started, hostname, version, registered_at, last_beat, is_remote) VALUES (0, ?, '', '', ?, ?, 1)
       ON CONFLICT (hostname, pid, pid_started) WHERE ${indexPredicates.remoteProcess} DO UPDATE SET last_beat = max(last_beat, excluded.last_beat), ended = NULL
       RETURNING process_id`,
  ).value(sender, time, time);
  sql(
    `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id, heard_on, current_execution_id)
       VALUES ($sender, $type, $namespace, coalesce($state, 'READY'), $time, $process_id, $host, $execution_id)
       ON CONFLICT (agent_name) WHERE ${indexPredicates.heardAgent} DO UPDATE SET state = coalesce($state, state), namespace = iif(excluded.namespace = '', namespace, excluded.namespace),
         last_heartbeat = max(last_heartbeat, excluded.last_heartbeat), heard_on = iif(excluded.heard_on = '', heard_on, excluded.heard_on),
         current_execution_id = coalesce(excluded.current_execution_id, current_execution_id)`,
  ).run({ sender, type, namespace, state, time, process_id, host, execution_id });
}
