import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import { processColumns, type SignsOfLife } from '../presence/agent-registry.ts';
import { keptAtRest } from '../sqlite/kept-answers.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { columnsOf, type Page, type RowOf, type Texts, type Window } from './list-query.ts';
import { listRows } from './list-rows.ts';
import { countAllMessages } from './message-counts.ts';

/**
 * `off_duty`: the kinds of work that the agent cannot do, as JSON. `clock_offset`: the seconds by which its
 * clock is ahead. `heard_on`: for a program that is not swf-mcp, the host that it reports, or empty.
 */
type AgentRow = RowOf<
  'list_agents',
  SignsOfLife & { off_duty: string | null; clock_offset: number | null; heard_on: string | null },
  'status' | 'heartbeat_age_seconds' | 'clock_offset_seconds'
>;

export interface AgentFilter extends Window, Texts<'namespace' | 'agent_type'> {
  /** The execution that the agent is working for, or last worked for. */
  execution_id?: string | undefined;
  /** An execution in which the agent took part, even if it has since worked for another one. */
  took_part_in?: string | undefined;
  include_exited: boolean;
}

/**
 * To find an execution's senders, all its messages are read if there are at most `fewMessages`, or if there are
 * at most `manyMessages` and fewer than half of the rows recorded during the execution belong to it.
 */
const fewMessages = 2_000;
const manyMessages = 20_000;
const mostlyOwn = 2;

/** As SQL: the agents that are working for the wanted execution, or last worked for it. */
const working = 'SELECT seq FROM wanted JOIN system_agents ON current_execution_id = name';

/**
 * As SQL: the agents that `working` selects, and the senders of all messages of the execution; for executions
 * with few messages.
 */
const senders = `WITH wanted AS MATERIALIZED (SELECT name_no, name FROM names WHERE name = ?)
  ${working} UNION
  SELECT a.seq FROM (SELECT DISTINCT sender_no, namespace_no FROM wanted CROSS JOIN message_rows ON execution_no = name_no) AS m
  CROSS JOIN system_agents AS a ON m.sender_no = ${numberOf('a.agent_name')} AND m.namespace_no IS ${numberOf('a.namespace')}`;

const bound = (direction: 'ASC' | 'DESC') =>
  `(SELECT seq FROM message_rows WHERE execution_no = name_no ORDER BY seq ${direction} LIMIT 1)`;

/**
 * As SQL: the same agents as `senders`, for executions with many messages. Only messages between an execution's
 * first and last one are examined, so its participants are found quickly.
 */
const participants = `WITH wanted AS MATERIALIZED (SELECT name_no, name, ${bound('ASC')} AS first, ${bound('DESC')} AS last FROM names WHERE name = ?)
  ${working} UNION
  SELECT a.seq FROM wanted CROSS JOIN system_agents AS a WHERE EXISTS (
    SELECT 1 FROM message_rows WHERE sender_no = ${numberOf('a.agent_name')} AND seq BETWEEN wanted.first AND wanted.last
      AND execution_no = wanted.name_no AND namespace_no IS ${numberOf('a.namespace')})`;

const madeColumns = { status: null, heartbeat_age_seconds: null, clock_offset_seconds: null };

export function listAgents(sql: Prepare, filter: AgentFilter, page: Page) {
  const { took_part_in } = filter;
  const isLarge = took_part_in !== undefined && keptAtRest(sql, isLargeForSenders)(took_part_in);
  return listRows<AgentRow>(sql, {
    select: `${columnsOf('list_agents', 'seq', madeColumns)}, ${processColumns}, clock_offset, heard_on`,
    from: 'system_agents',
    join: 'JOIN processes USING (process_id)',
    key: 'seq',
    time: 'last_heartbeat',
    conditions: {
      execution: ['current_execution_id = ?', filter.execution_id],
      participants: [`seq IN (${isLarge ? participants : senders})`, took_part_in],
      namespace: ['namespace = ?', filter.namespace],
      type: ['agent_type = ?', filter.agent_type],
      present: [`${indexPredicates.presentAgent} AND state <> ?`, filter.include_exited ? undefined : 'EXITED'],
    },
    indexes: [
      ['system_agents_execution', ['execution']],
      ['system_agents_present', ['present']],
    ],
    window: filter,
    page,
  });
}

/**
 * Whether checking each agent is cheaper than reading all messages of an execution. Checking also reads
 * messages of other executions from the same time.
 */
function isLargeForSenders(sql: Prepare, execution: string) {
  const messages = countAllMessages(sql, execution);
  if (messages <= fewMessages || messages > manyMessages) return messages > manyMessages;
  const span = sql<number>(`SELECT ${bound('DESC')} - ${bound('ASC')} + 1 FROM names WHERE name = ?`);
  return (span.value(execution) ?? Infinity) <= mostlyOwn * messages;
}
