import type { MessageEffect } from '../../domain/states.ts';
import { happenedAt } from '../log/rows.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { keptTotal } from './message-counts.ts';
import { type ListPage, listRows, type Page } from './page.ts';
import { nearNamespace } from './row-blocks.ts';
import type { SearchedTable, WordSearch } from './word-search.ts';

export interface MessageRow {
  key: number;
  message_id: string;
  message_type: string;
  sender_agent: string | null;
  namespace: string | null;
  sent_at: string;
  recorded_at: string;
  happened_at: string;
  execution_id: string | null;
  run_id: string | null;
  destination: string;
  effect: MessageEffect;
  effect_reason: string | null;
  payload: string;
}

/** A message without its body. */
export type MessageHead = Omit<MessageRow, 'payload'>;

export interface MessageFilter {
  execution_id?: string | undefined;
  run_id?: string | undefined;
  namespace?: string | undefined;
  agent?: string | undefined;
  message_type?: string | undefined;
  message_id?: string | undefined;
  effect?: MessageEffect | undefined;
  /** Words of the id or of the body. */
  search?: string | undefined;
  start_time?: string | undefined;
  end_time?: string | undefined;
}

/**
 * The body as it may be shown: of `run_workflow` only the sections that everybody hears of in `run_imminent`, since the
 * whole configuration, with its paths, stays in the store (contract §4, `resume`).
 */
const shownPayload = `CASE WHEN message_type = 'run_workflow' AND json_valid(payload)
  THEN json_set(payload, '$.params', json_object(
    'workflow', json_remove(payload -> '$.params.workflow', '$.includes'),
    'fast_processing', payload -> '$.params.fast_processing',
    'fastmon', payload -> '$.params.fastmon',
    'daq_state_machine', payload -> '$.params.daq_state_machine'))
  ELSE payload END`;

/** The columns of a message without its body. */
export const headColumns = `seq AS key, message_id, message_type, sender_agent, namespace, sent_at, recorded_at, ${happenedAt} AS happened_at,
  execution_id, run_id, destination, effect, effect_reason`;

const columns = `${headColumns}, ${shownPayload} AS payload`;

const frequent = ['stf_gen', 'stf_ready', 'tf_file_registered', 'slice', 'slice_started', 'slice_result'];
/** In the words of the index of all other types. */
const isSeldom = `message_type NOT IN (${frequent.map((type) => `'${type}'`).join(', ')})`;

const searched: SearchedTable = {
  table: 'workflow_messages',
  words: 'message_words',
  texts: { from: 'message_texts', key: 'seq', columns: ['text'] },
};

export function listMessages(
  sql: Prepare,
  filter: MessageFilter,
  page: Page,
  findWords: WordSearch,
): ListPage<MessageRow> {
  const { message_type, execution_id, namespace, effect, search } = filter;
  const isOfExecution = execution_id !== undefined;
  const isSeldomType = !isOfExecution && message_type !== undefined && !frequent.includes(message_type);
  const isTrouble = isOfExecution && (effect === 'rejected' || effect === 'conflict');
  const isWithoutEffect = !isTrouble && effect !== 'applied';
  return listRows<MessageRow>(sql, {
    select: columns,
    from: 'workflow_messages',
    key: 'seq',
    time: 'sent_at',
    blocksOf: 'workflow_messages',
    conditions: {
      id: ['message_id = ?', filter.message_id],
      execution: ['execution_id = ?', execution_id],
      run: ['run_id = ?', filter.run_id],
      namespace: ['namespace = ?', namespace],
      agent: ['sender_agent = ?', filter.agent],
      type: ['message_type = ?', isSeldomType ? undefined : message_type],
      applied: ['effect = ?', effect === 'applied' ? effect : undefined],
      // In the words of their indexes, or SQLite would not use them.
      'seldom type': [`${isSeldom} AND message_type = ?`, isSeldomType ? message_type : undefined],
      'without effect': [`effect <> 'applied' AND effect = ?`, isWithoutEffect ? effect : undefined],
      trouble: [`effect IN ('rejected', 'conflict') AND effect = ?`, isTrouble ? effect : undefined],
    },
    paths: [
      ['sqlite_autoindex_workflow_messages_1', ['id']],
      ['workflow_messages_type', ['execution', 'type']],
      ['workflow_messages_trouble', ['execution', 'trouble']],
      ['workflow_messages_seldom', ['seldom type']],
      ['workflow_messages_fruitless', ['execution', 'without effect']],
      ['workflow_messages_without_effect', ['without effect']],
      ['workflow_messages_agent', ['agent']],
      ['workflow_messages_execution', ['execution']],
      ['workflow_messages_run', ['run']],
    ],
    scopes: [
      ['workflow_messages_execution', 'execution'],
      ['workflow_messages_run', 'run'],
    ],
    window: filter,
    near: namespace === undefined ? undefined : (range, order) => nearNamespace(sql, namespace, range, order),
    among: search === undefined ? undefined : (part) => findWords(searched, { text: search }, part),
    total: keptTotal(sql, filter),
    page,
  });
}

/** The messages that tell the story of an execution; in the words of their index, or SQLite would not use it. */
export const isLandmark = `message_type IN ('run_workflow', 'run_imminent', 'start_run', 'pause_run', 'resume_run', 'end_run', 'stop_workflow', 'pause_workflow', 'resume_workflow', 'workflow_ended')`;

/** Commands that no driver has taken up; in the words of their index. */
export const isWaitingCommand = `message_type IN ('stop_workflow', 'pause_workflow', 'resume_workflow') AND effect_reason = 'waits for the driver'`;

/** The message that was recorded last. */
export function lastMessage(sql: Prepare, executionId: string): { message_id: string; sent_at: string } | undefined {
  return sql<[string], { message_id: string; sent_at: string }>(
    'SELECT message_id, sent_at FROM workflow_messages WHERE execution_id = ? ORDER BY seq DESC LIMIT 1',
  ).get(executionId);
}

/** How a command stands: whether a driver has taken it up, or why it has no effect. */
export function commandState(
  sql: Prepare,
  messageId: string,
): 'waiting' | { effect: 'applied' } | { effect: 'none'; reason: string } {
  const row = sql<[string], { effect: MessageEffect; effect_reason: string | null; waits: number }>(
    `SELECT effect, effect_reason, ${isWaitingCommand} AS waits FROM workflow_messages WHERE message_id = ?`,
  ).get(messageId);
  if (row === undefined) throw new Error(`the command ${messageId} is not recorded`);
  if (row.waits === 1) return 'waiting';
  return row.effect === 'applied' ? { effect: 'applied' } : { effect: 'none', reason: row.effect_reason ?? '' };
}

/** Whether an operator has paused an execution since its driver took it up; who takes it up again lets it go on. */
export function isHeld(sql: Prepare, executionId: string): boolean {
  const row = sql<[string, string], { held: number }>(
    `SELECT message_type = 'pause_workflow' AND recorded_at >= (
       SELECT taken_at FROM execution_owners WHERE execution_id = ?) AS held FROM workflow_messages
     WHERE execution_id = ? AND ${isLandmark} AND message_type IN ('pause_workflow', 'resume_workflow') AND effect = 'applied'
     ORDER BY seq DESC LIMIT 1`,
  ).get(executionId, executionId);
  return row?.held === 1;
}

/** The last messages that tell the story of an execution, newest first. */
export function lastLandmarks(sql: Prepare, executionId: string, limit: number): MessageHead[] {
  return sql<[string, number], MessageHead>(
    `SELECT ${headColumns} FROM workflow_messages WHERE execution_id = ? AND ${isLandmark} ORDER BY seq DESC LIMIT ?`,
  ).all(executionId, limit);
}

/** The last messages of an execution that could not be read or contradict an earlier one, newest first. */
export function lastTroubledMessages(sql: Prepare, executionId: string, limit: number): MessageHead[] {
  return sql<[string, number], MessageHead>(
    `SELECT ${headColumns} FROM workflow_messages WHERE execution_id = ? AND effect IN ('rejected', 'conflict') ORDER BY seq DESC LIMIT ?`,
  ).all(executionId, limit);
}

/** Messages of an execution that could not be read or contradict an earlier one: how many (up to a thousand), and the last of them. */
export function refusedMessages(sql: Prepare, executionId: string, named: number): { count: number; ids: string[] } {
  return someMessages(sql, executionId, `effect IN ('rejected', 'conflict')`, named);
}

/** Messages of an execution that wait for what they refer to: how many (up to a thousand), and the last of them. */
export function waitingMessages(sql: Prepare, executionId: string, named: number): { count: number; ids: string[] } {
  return someMessages(sql, executionId, 'awaits IS NOT NULL', named);
}

function someMessages(
  sql: Prepare,
  executionId: string,
  which: string,
  named: number,
): { count: number; ids: string[] } {
  const count = sql<[string], { n: number }>(
    `SELECT count(*) AS n FROM (SELECT 1 FROM workflow_messages WHERE execution_id = ? AND ${which} LIMIT 1000)`,
  ).get(executionId)?.n;
  if (count === undefined || count === 0) return { count: 0, ids: [] };
  const rows = sql<[string, number], { message_id: string }>(
    `SELECT message_id FROM workflow_messages WHERE execution_id = ? AND ${which} ORDER BY seq DESC LIMIT ?`,
  ).all(executionId, named);
  return { count, ids: rows.map(({ message_id }) => message_id) };
}

/** Whether any message, with or without effect, names this execution. */
export function executionIsMentioned(sql: Prepare, executionId: string): boolean {
  return sql<[string]>('SELECT 1 FROM workflow_messages WHERE execution_id = ? LIMIT 1').get(executionId) !== undefined;
}

/** Whether any message, with or without effect, names this run. */
export function runIsMentioned(sql: Prepare, runId: string): boolean {
  return sql<[string]>('SELECT 1 FROM workflow_messages WHERE run_id = ? LIMIT 1').get(runId) !== undefined;
}
