import type { EffectCode, MessageEffect } from '../../domain/effects.ts';
import { frequentTypes } from '../../messages/vocabulary.ts';
import { happenedAt } from '../log/rows.ts';
import { standingFor } from '../migrations/documented-views.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns, milliseconds } from '../migrations/message-columns.ts';
import { numberOf, shortId } from '../migrations/names.ts';
import { nearNamespace } from '../notes/row-blocks.ts';
import { messageWords } from '../notes/word-parts.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Condition, Page, RowOf, Texts, Window } from './list-query.ts';
import { listRows } from './list-rows.ts';
import { countMessages } from './message-counts.ts';
import type { WordSearch } from './word-search.ts';

export interface MessageFilter
  extends Window, Texts<'execution_id' | 'run_id' | 'namespace' | 'agent' | 'message_type' | 'message_id'> {
  effect?: MessageEffect | undefined;
  /** Words to find in the id or the body. */
  search?: string | undefined;
}

/** A message without its body. Compute delays from `happened_at` (see `happenedAt`). */
export type MessageHead = RowOf<
  'list_messages',
  { recorded_at: string; happened_at: string; effect_code: EffectCode | null },
  'repeats' | 'contradicts' | 'body' | 'body_truncated' | 'payload' | 'payload_truncated'
>;

/**
 * `repeats`, `contradicts`: for a message from other programs, the id of the message that it repeats or
 * contradicts.
 */
type MessageRow = MessageHead & Record<'repeats' | 'contradicts', string | null> & { payload: string };

const { payload: wholePayload, ...columnsBesides } = messageColumns;

export const headColumns = [
  'seq AS key, effect, effect_code, effect_reason',
  `${happenedAt} AS happened_at`,
  ...Object.entries(columnsBesides).map(([name, column]) => `${column} AS ${name}`),
].join(', ');

/**
 * The body as it may be shown. For `run_workflow`, this is only the sections that `run_imminent` sends to all
 * agents: the whole configuration, with its paths, stays in the store.
 */
export const shownPayload = `CASE WHEN type_no = ${numberOf(`'run_workflow'`)} AND json_valid(body)
  THEN json_set(${wholePayload}, '$.params', json_object(
    'workflow', json_remove(body -> '$.params.workflow', '$.includes'),
    'fast_processing', body -> '$.params.fast_processing',
    'fastmon', body -> '$.params.fastmon',
    'daq_state_machine', body -> '$.params.daq_state_machine'))
  ELSE ${wholePayload} END`;

export function listMessages(sql: Prepare, filter: MessageFilter, page: Page, findWords: WordSearch) {
  const { namespace, search } = filter;
  return listRows<MessageRow>(sql, {
    select: `${headColumns}, ${shownPayload} AS payload, ${standingFor('message_rows', 0)} AS repeats, ${standingFor('message_rows', 1)} AS contradicts`,
    from: 'message_rows',
    key: 'seq',
    time: 'sent_ms',
    instant: milliseconds('?'),
    blocksOf: 'message_rows',
    conditions: conditionsOf(filter),
    indexes: [
      ['sqlite_autoindex_message_rows_1', ['id']],
      ['message_rows_type', ['execution', 'type']],
      ['message_rows_trouble', ['execution', 'trouble']],
      ['message_rows_seldom', ['seldom type']],
      ['message_rows_execution_without_effect', ['execution', 'without effect']],
      ['message_rows_without_effect', ['without effect']],
      ['message_rows_agent', ['agent']],
      ['message_rows_execution', ['execution']],
      ['message_rows_run', ['run']],
    ],
    rangeBounds: [
      ['message_rows_execution', 'execution'],
      ['message_rows_run', 'run'],
    ],
    window: filter,
    narrowRange: namespace === undefined ? undefined : (range, order) => nearNamespace(sql, namespace, range, order),
    candidateKeys: search === undefined ? undefined : (part) => findWords(messageWords, { text: search }, part),
    total: keptTotal(sql, filter),
    page,
  });
}

/** The conditions of a filter. Those for a type or an effect are written so that its index can be used. */
function conditionsOf(filter: MessageFilter): Record<string, Condition> {
  const { message_type, execution_id, effect } = filter;
  const isOfExecution = execution_id !== undefined;
  const isFrequent = frequentTypes.some((type) => type === message_type);
  const isSeldom = !isOfExecution && message_type !== undefined && !isFrequent;
  const isTrouble = isOfExecution && (effect === 'rejected' || effect === 'conflict');
  const isWithoutEffect = !isTrouble && effect !== 'applied';
  const { seldom, withoutEffect, troubled } = indexPredicates;
  return {
    id: [`short_id = ${shortId('?')}`, filter.message_id],
    execution: [`execution_no = ${numberOf('?')}`, execution_id],
    run: [`run_no = ${numberOf('?')}`, filter.run_id],
    namespace: [`namespace_no = ${numberOf('?')}`, filter.namespace],
    agent: [`sender_no = ${numberOf('?')}`, filter.agent],
    type: [`type_no = ${numberOf('?')}`, isSeldom ? undefined : message_type],
    applied: ['effect = ?', effect === 'applied' ? effect : undefined],
    'seldom type': [`${seldom} AND type_no = ${numberOf('?')}`, isSeldom ? message_type : undefined],
    'without effect': [`${withoutEffect} AND effect = ?`, isWithoutEffect ? effect : undefined],
    trouble: [`${troubled} AND effect = ?`, isTrouble ? effect : undefined],
  };
}

/**
 * Number of messages that match a filter, from stored counts, which exist by execution and type; undefined if
 * the filter has other fields.
 */
function keptTotal(sql: Prepare, { execution_id, message_type, ...rest }: MessageFilter) {
  const { run_id, namespace, agent, message_id, effect, search, start_time, end_time } = rest;
  const others = [run_id, namespace, agent, message_id, effect, search, start_time, end_time];
  if (others.some((value) => value !== undefined)) return undefined;
  const counts = countMessages(sql, execution_id);
  return message_type === undefined
    ? [...counts.values()].reduce((sum, n) => sum + n, 0)
    : (counts.get(message_type) ?? 0);
}
