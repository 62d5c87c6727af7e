import type { Effect, EffectCode } from '../../domain/effects.ts';
import { decodeMessage } from '../../messages/codec.ts';
import { cameOverBroker, type LogRow } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { recordHeard } from '../observed/heard-messages.ts';
import { lineOf } from '../observed/said.ts';
import type { Store } from '../opening/store.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** A log row with everything a replay needs. */
export interface HistoryRow {
  /** The row's number, if it is to be kept. */
  seq?: number;
  destination: string;
  body: string;
  sent_at: string;
  recorded_at: string;
  /** It came over a broker. */
  from_broker?: true;
  /** For a message heard from other programs: the stored headers (JSON). */
  headers?: string;
  /** For a command: whether its driver applied it, which nothing else in the log tells. */
  applied?: boolean;
  /** Left out in histories older than codes. */
  code?: EffectCode;
  reason?: string;
}

const commands: ReadonlySet<string> = new Set(['stop_workflow', 'pause_workflow', 'resume_workflow']);

interface MessageRow extends Omit<LogRow, 'message_id' | 'execution_id'> {
  sent_at: string;
  recorded_at: string;
  message_type: string;
  from_broker: 0 | 1 | null;
  headers: string | null;
}

/** Rows to read at a time. */
const page = 1000;

/** A part of a log. */
export interface LogPart {
  /** Rows after `after`, up to `last`. */
  after: number;
  last: number;
  /** Rows that were recorded later do not count. Milliseconds since 1970. */
  recordedBy: number;
  /** Executions whose rows do not count, except logbook entries. */
  except: readonly string[];
}

const wholeLog: LogPart = { after: 0, last: Number.MAX_SAFE_INTEGER, recordedBy: Number.MAX_SAFE_INTEGER, except: [] };

/** The log of a store, or a part of it, in order. */
export function* historyOf(sql: Prepare, part: LogPart = wholeLog): Generator<HistoryRow> {
  const some = sql<MessageRow>(
    `SELECT seq, destination, payload, sent_at, recorded_at, message_type, effect, effect_code, effect_reason, ${cameOverBroker} AS from_broker, headers
     FROM workflow_messages JOIN (SELECT seq, headers, execution_no, ${indexPredicates.logbook} AS is_logbook FROM message_rows) USING (seq)
     WHERE seq > ? AND seq <= ? AND recorded_ms <= ?
       AND (execution_no IS NULL OR is_logbook OR execution_no NOT IN (SELECT name_no FROM names JOIN json_each(?) ON name = value)) ORDER BY seq LIMIT ${page}`,
  );
  const except = JSON.stringify(part.except);
  for (let { after } = part; ;) {
    const rows = some.all(after, part.last, part.recordedBy, except);
    yield* rows.map(historyRow);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}

const historyRow = (row: MessageRow): HistoryRow => ({
  seq: row.seq,
  destination: row.destination,
  body: row.payload,
  sent_at: row.sent_at,
  recorded_at: row.recorded_at,
  ...(row.from_broker === 1 ? { from_broker: true as const } : {}),
  ...(row.headers === null ? {} : { headers: row.headers }),
  ...(row.headers === null && commands.has(row.message_type)
    ? { applied: row.effect === 'applied', code: row.effect_code ?? 'REFUSED', reason: row.effect_reason ?? '' }
    : {}),
});

/** Messages to record per transaction. */
const together = 200;

/** Replays a log, message by message, into a store that has none of it. Rows keep their numbers if the history has them. */
export async function replay(history: Iterable<HistoryRow>, store: Pick<Store, 'messages' | 'write'>): Promise<void> {
  let waiting: HistoryRow[] = [];
  const record = async (): Promise<void> => {
    const rows = waiting;
    waiting = [];
    await store.write((tx) => {
      for (const { seq, destination, body, sent_at, recorded_at, from_broker = false, headers, ...given } of rows) {
        if (headers !== undefined) {
          recordHeard(tx, lineOf({ destination, body, headers, sent_at, recorded_at }), seq);
          continue;
        }
        const facts = { seq, isReplay: true, sentAt: sent_at, recordedAt: recorded_at, fromBroker: from_broker };
        const effect = given.applied === undefined ? {} : { effect: effectOf(given) };
        const received = { destination, body, decoded: decodeMessage(body) };
        store.messages.recordReceived(tx, received, { ...facts, ...effect });
      }
    });
  };
  for (const row of history) {
    waiting.push(row);
    if (waiting.length === together) await record();
  }
  await record();
}

function effectOf({ applied, code = 'REFUSED', reason = '' }: Pick<HistoryRow, 'applied' | 'code' | 'reason'>): Effect {
  return applied === true ? { effect: 'applied' } : { effect: 'none', code, reason };
}
