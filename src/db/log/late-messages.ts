import { decodeMessage, type Message, type MessageType } from '../../messages/vocabulary.ts';
import { provided } from '../projection/awaits.ts';
import type { Effect } from '../projection/effect.ts';
import type { Project } from '../projection/index.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { happenedAt } from './rows.ts';

/** Lets what waited for a message take effect; the types of what did. Inside a transaction only. */
export type Release = (message: Message) => MessageType[];

interface WaitingRow {
  seq: number;
  payload: string;
  happened_at: string;
}

/**
 * Messages that came before what they refer to stand in the log without effect until that comes. Then they are projected, in
 * their order, and put down as late: readers have passed their place in the log, and have a cursor of its own for them.
 */
export function createRelease(sql: Prepare, project: Project): Release {
  const readAgain = (executionId: string, { seq, payload, happened_at }: WaitingRow): Message | undefined => {
    const decoded = decodeMessage(payload);
    if (decoded.kind !== 'message') throw new Error('a recorded message can no longer be read');
    const effect = project(decoded.message, happened_at);
    noteEffect(sql, seq, effect);
    if (effect.effect !== 'applied') return undefined;
    sql('INSERT INTO late_messages (execution_id, seq) VALUES (?, ?)').run(executionId, seq);
    return decoded.message;
  };

  return (message) => {
    const { execution_id } = message;
    if (execution_id === undefined) return [];
    const released: Message[] = [message];
    // What takes effect may be what others wait for.
    for (const one of released) {
      const key = provided(one);
      for (const row of key === undefined ? [] : waitingFor(sql, execution_id, key)) {
        const late = readAgain(execution_id, row);
        if (late !== undefined) released.push(late);
      }
    }
    return released.slice(1).map(({ msg_type }) => msg_type);
  };
}

function waitingFor(sql: Prepare, executionId: string, key: string): WaitingRow[] {
  return sql<[string, string], WaitingRow>(
    `SELECT seq, payload, ${happenedAt} AS happened_at FROM workflow_messages
     WHERE execution_id = ? AND awaits = ? ORDER BY seq`,
  ).all(executionId, key);
}

function noteEffect(sql: Prepare, seq: number, effect: Effect): void {
  const [reason, awaits] = effect.effect === 'applied' ? [null, null] : [effect.reason, effect.awaits ?? null];
  sql('UPDATE workflow_messages SET effect = ?, effect_reason = ?, awaits = ? WHERE seq = ?').run(
    effect.effect,
    reason,
    awaits,
    seq,
  );
}
