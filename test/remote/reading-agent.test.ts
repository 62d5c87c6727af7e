import { describe, expect, it } from 'vitest';

import { noDataFiles } from '../../src/files/data-files.ts';
import { createReadingAgent, type ReadingAgentOptions } from '../../src/remote/reading-agent.ts';

const stf = (execution_id: string, sequence: number) => ({
  msg_type: 'stf_gen',
  sender: 'daq_simulator-agent-x-1',
  execution_id,
  run_id: '7',
  filename: `swf.7.${String(sequence).padStart(6, '0')}.stf`,
  sequence,
  tf_count: 100,
});

/** An agent that answers each STF; the test confirms the answers on behalf of the broker. */
function readingAlone({ status = 'running', unheard }: { status?: string; unheard?: string } = {}) {
  const events: string[] = [];
  const confirmations: (() => void)[] = [];
  const options = {
    agent: {
      type: 'data',
      emits: ['stf_ready'],
      reads: ['stf_gen'],
      handle: ({ sequence }: { sequence: number }) => [{ msg_type: 'stf_ready', sequence }],
    },
    params: {},
    agentLog: { write: () => {} },
    name: 'data-1',
    namespace: 'test',
    lifetime: {
      draining: new AbortController().signal,
      fail: (error: unknown) => void events.push(String(error)),
    },
    views: {
      stateOf: (_: string, storeId: string) =>
        storeId === unheard
          ? undefined
          : { status, store_id: 's1', workflow_params: {}, execution_id: 'w-x-0001', run_id: '7' },
      changed: () => new Promise(() => {}),
      overFor: () => new AbortController().signal,
    },
    access: { of: () => ({ files: noDataFiles, folder: undefined }) },
    speaker: {
      say: ({ sequence }: { sequence: number }) => {
        events.push(`answer ${sequence}`);
        return new Promise<boolean>((resolve) => void confirmations.push(() => resolve(true)));
      },
    },
    onChange: () => {},
    onStep: () => {},
  } as unknown as ReadingAgentOptions;
  const reader = createReadingAgent(options);
  const deliver = (sequence: number, more: object = {}, store_id = 's1'): void => {
    const body = JSON.stringify({ ...stf('w-x-0001', sequence), namespace: 'test', ...more });
    reader.take({
      id: undefined,
      headers: { namespace: 'test', store_id },
      body,
      bytes: Buffer.from(body),
      size: body.length,
      isWhole: true,
      acknowledge: () => void events.push(`acknowledge ${sequence}`),
      giveBack: () => void events.push(`give back ${sequence}`),
      lost: new AbortController().signal,
    });
  };
  return { reader, deliver, events, confirm: () => confirmations.shift()?.() };
}

describe('a broadcast to a remote agent', () => {
  it('is acknowledged only once the broker has confirmed the answer', async () => {
    const { reader, deliver, events, confirm } = readingAlone();
    deliver(1);
    deliver(2);
    await expect.poll(() => events).toEqual(['answer 1', 'answer 2']);
    expect(reader.inHand()).toEqual(['w-x-0001/stf_gen/swf.7.000001.stf', 'w-x-0001/stf_gen/swf.7.000002.stf']);
    confirm();
    await expect.poll(() => events).toEqual(['answer 1', 'answer 2', 'acknowledge 1']);
    expect(reader.inHand()).toHaveLength(1);
    // It is delivered again after a break: its answer is on its way, and is not made again.
    deliver(2);
    confirm();
    await expect.poll(() => events.slice(3)).toEqual(['acknowledge 2']);
    await reader.settled();
    expect(reader.inHand()).toEqual([]);
  });

  it.each<[string, object]>([
    ['from another namespace', { namespace: 'other' }],
    ['that the agent does not read', { msg_type: 'stf_ready' }],
    ['without an execution', { execution_id: undefined }],
  ])('%s is acknowledged immediately', (_, more) => {
    const { reader, deliver, events } = readingAlone();
    deliver(1, more);
    expect([events, reader.inHand()]).toEqual([['acknowledge 1'], []]);
  });

  it('is not mistaken for a broadcast of another store with an execution of the same name', async () => {
    const { reader, deliver, events, confirm } = readingAlone();
    deliver(1);
    deliver(1, {}, 's2');
    await expect.poll(() => events).toEqual(['answer 1', 'answer 1']);
    expect(reader.inHand()).toEqual(['w-x-0001/stf_gen/swf.7.000001.stf', 'w-x-0001/stf_gen/swf.7.000001.stf']);
    confirm();
    confirm();
    await expect.poll(() => events.slice(2)).toEqual(['acknowledge 1', 'acknowledge 1']);
  });

  it('is answered even if another store with an execution of the same name is silent or has ended it', async () => {
    const { deliver, events } = readingAlone({ unheard: 's2' });
    deliver(1, {}, 's2');
    deliver(2);
    await expect.poll(() => events).toEqual(['answer 2']);
    deliver(3, { msg_type: 'workflow_ended', status: 'completed' }, 's3');
    deliver(4);
    await expect.poll(() => events).toEqual(['answer 2', 'acknowledge 3', 'answer 4']);
  });

  it('is acknowledged without an answer if its execution has ended', async () => {
    const { deliver, events } = readingAlone({ status: 'completed' });
    deliver(1);
    await expect.poll(() => events).toEqual(['acknowledge 1']);
  });
});
