import { describe, expect, it } from 'vitest';

import { decodeObject } from '../../src/messages/codec.ts';
import { createNotifier } from '../../src/messages/notifier.ts';
import { telemetryOf } from '../../src/messages/telemetry.ts';
import type { MessageType } from '../../src/messages/vocabulary.ts';

const types = (...names: MessageType[]): ReadonlySet<MessageType> => new Set(names);

function made() {
  let inside = 0;
  const notifier = createNotifier({ enter: () => (inside += 1), leave: () => (inside -= 1) });
  /** Whether a promise has resolved by now. */
  const isDone = async (promise: Promise<void>): Promise<boolean> =>
    Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
  return { notifier, isDone, inside: () => inside };
}

describe('a notifier', () => {
  it('wakes only the waiters for the announced types', async () => {
    const { notifier, isDone, inside } = made();
    const { signal } = new AbortController();
    const [slices, results, any] = [
      notifier.news(signal, types('slice')),
      notifier.news(signal, types('slice_result', 'end_run')),
      notifier.news(signal),
    ];
    expect(inside()).toBe(-3);
    notifier.announce(['slice', 'stf_gen']);
    expect(await Promise.all([slices, any, results].map(isDone))).toEqual([true, true, false]);
    expect(inside()).toBe(-1);
    notifier.announce(['end_run']);
    expect(await isDone(results)).toBe(true);
    expect(inside()).toBe(0);
  });

  it('returns immediately if a wanted type has been announced since the mark', async () => {
    const { notifier, isDone, inside } = made();
    const { signal } = new AbortController();
    const wanted = types('slice', 'stf_gen');
    const mark = notifier.mark(wanted);
    expect(await isDone(notifier.news(signal, wanted, mark))).toBe(false);
    notifier.announce(['stf_gen']);
    expect(notifier.mark(wanted)).not.toBe(mark);
    expect(inside()).toBe(0);
    expect(await isDone(notifier.news(signal, wanted, mark))).toBe(true);
    expect(inside()).toBe(0);
    const later = notifier.mark(wanted);
    notifier.announce(['end_run']);
    expect(notifier.mark(wanted)).toBe(later);
  });

  it('counts a type once per announcement', () => {
    const { notifier } = made();
    notifier.announce(['slice', 'slice']);
    expect(notifier.mark(types('slice'))).toBe(1);
  });

  it('ends a wait that is aborted, and starts none if the signal is already aborted', async () => {
    const { notifier, isDone, inside } = made();
    const ending = new AbortController();
    const waiting = notifier.news(ending.signal, types('slice'));
    ending.abort();
    expect(await isDone(waiting)).toBe(true);
    expect(inside()).toBe(0);
    expect(await isDone(notifier.news(ending.signal))).toBe(true);
    notifier.announce(['slice']);
    expect(inside()).toBe(0);
  });
});

describe('telemetry', () => {
  const beat = {
    msg_type: 'agent_heartbeat',
    sender: 'a',
    namespace: 'n',
    agent_name: 'a',
    agent_type: 'worker',
    state: 'READY',
    in_hand: [],
    free_slots: 2,
    off_duty: [],
    hostname: 'h',
    pid: 1,
    boot_id: '',
    version: '0',
    wire: 2,
    since: '2026-01-01T00:00:00.000Z',
  };
  const log = {
    msg_type: 'agent_log',
    sender: 'a',
    namespace: 'n',
    since: 'x',
    lines: [{ n: 1, timestamp: 't', level: 'INFO', message: 'm' }],
  };
  const state = {
    msg_type: 'execution_state',
    sender: 'r',
    namespace: 'n',
    execution_id: 'e',
    store_id: 's',
    epoch: 1,
    run_id: '1',
    phase: 'physics',
    status: 'running',
    held: false,
    workflow_params: {},
    max_retries: 3,
  };

  it.each([
    ['agent_heartbeat', beat],
    ['agent_log', log],
    ['execution_state', state],
  ])('of type %s is read, even with fields from a newer program', (_, body) => {
    expect(telemetryOf(decodeObject({ ...body, newer: 1 }))).toMatchObject({
      ...body,
      ...('workflow_params' in body ? { workflow_params: expect.any(Object) } : {}),
    });
  });

  it.each([
    ['another type', { ...beat, msg_type: 'hello' }],
    ['a message', { msg_type: 'end_run', sender: 'a', namespace: 'n', execution_id: 'e', total_stf_files: 1 }],
    ['a heartbeat with a missing field', { ...beat, agent_name: undefined }],
    ['a type named like a member of Object', { ...beat, msg_type: 'toString' }],
    ['too many messages in hand', { ...beat, in_hand: Array.from({ length: 1001 }, () => 'x') }],
    [
      'too many log lines',
      {
        ...log,
        lines: Array.from({ length: 101 }, (_, n) => ({ n: n + 1, timestamp: 't', level: 'INFO', message: 'm' })),
      },
    ],
    ['an unknown level', { ...log, lines: [{ n: 1, timestamp: 't', level: 'LOUD', message: 'm' }] }],
    ['an unknown phase', { ...state, phase: 'party' }],
  ])('is not read from %s', (_, body) => {
    expect(telemetryOf(decodeObject(body))).toBeUndefined();
  });
});
