import { describe, expect, it } from 'vitest';

import type { Message } from '../../../src/messages/message.ts';
import type { MessageType } from '../../../src/messages/vocabulary.ts';
import { makeRunningStore } from '../../made-store.ts';
import { byWorker, envelope, sample, slice, stf } from '../one-slice.ts';

const cut = { stf_filename: stf, start: 0, end: 0, tf_count: 1 };
const frames = { tf_first: 0, tf_last: 14, tf_count: 15 };

/** The messages about a slice whose first attempt fails, in the order of events. */
const story: Record<string, Partial<Message> & { msg_type: MessageType }> = {
  announced: { msg_type: 'stf_gen', filename: stf, sequence: 1, tf_count: 100 },
  ready: { msg_type: 'stf_ready', filename: stf, sequence: 1, tf_count: 100 },
  sampled: { msg_type: 'tf_file_registered', tf_filename: sample, stf_filename: stf, ...frames },
  queued: { msg_type: 'slice', ...slice(1), ...cut },
  begun: { msg_type: 'slice_started', ...byWorker(1) },
  failed: { msg_type: 'slice_result', ...byWorker(1), state: 'failed' },
  done: { msg_type: 'slice_result', ...byWorker(1), state: 'done' },
  'queued again': { msg_type: 'slice', ...slice(2), ...cut },
  'begun again': { msg_type: 'slice_started', ...byWorker(2) },
};

async function telling(...before: string[]) {
  const { store } = await makeRunningStore({ worker: { max_retries: 1 } });
  const say = (name: string) =>
    store.write((tx) => store.messages.record(tx, { ...envelope, ...story[name] } as Message));
  for (const name of before) await say(name);
  const codeOf = (message_id: string): unknown =>
    store.db.prepare('SELECT effect, effect_code FROM workflow_messages WHERE message_id = ?').get(message_id);
  return { say, codeOf };
}

describe('a message that comes before the message it refers to', () => {
  it.each([
    ['ready', 'announced', []],
    ['sampled', 'announced', []],
    ['queued', 'sampled', ['announced']],
    ['begun', 'queued', ['announced', 'sampled']],
    ['failed', 'queued', ['announced', 'sampled']],
    ['queued again', 'failed', ['announced', 'sampled', 'queued']],
    ['begun again', 'queued again', ['announced', 'sampled', 'queued', 'failed']],
  ])('takes effect when that message arrives: %s before %s', async (early, late, before) => {
    const { say, codeOf } = await telling(...before);
    const { message_id, effect_code } = await say(early);
    expect(effect_code).toBe('WAITS');
    expect(await say(late)).toMatchObject({ effect: 'applied', released: [story[early]?.msg_type] });
    expect(codeOf(message_id)).toEqual({ effect: 'applied', effect_code: null });
  });

  it.each([
    ['begun', 'sampled', ['announced']],
    ['begun again', 'failed', ['announced', 'sampled', 'queued']],
    // Only a failure is followed by another attempt.
    ['queued again', 'done', ['announced', 'sampled', 'queued']],
    ['queued again', 'begun', ['announced', 'sampled', 'queued']],
  ])('keeps waiting if something unrelated arrives: %s before %s', async (early, late, before) => {
    const { say, codeOf } = await telling(...before);
    const { message_id } = await say(early);
    expect(await say(late)).toMatchObject({ effect: 'applied' });
    expect(codeOf(message_id)).toEqual({ effect: 'none', effect_code: 'WAITS' });
  });
});
