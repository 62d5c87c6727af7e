import { describe, expect, it } from 'vitest';

import { executionParamsSchema } from '../../src/domain/params.ts';
import { noDataFiles } from '../../src/files/data-files.ts';
import { NoSuchFile, NotFetched } from '../../src/files/http-reader.ts';
import { SwfError } from '../../src/lib/errors.ts';
import { noCounts } from '../helpers.ts';
import { pass, turns } from '../still-time.ts';
import { execution_id, namespace, stateOf } from './line.ts';
import { reading, stf } from './reading-setup.ts';

const ended = (id: string) => ({
  msg_type: 'workflow_ended',
  sender: 'daq-1',
  namespace,
  execution_id: id,
  run_id: '7',
  status: 'terminated',
  reason: 'stopped',
  ...noCounts,
});

describe('a message whose execution no recorder has reported', () => {
  it('waits for its recorder, and is then answered in order', async () => {
    const { deliver, events, views, reader } = reading();
    for (const sequence of [1, 2]) deliver(stf(sequence));
    await pass(30);
    expect([events, reader.hasUnheard(), reader.inHand().length]).toEqual([[], true, 2]);
    views.hear(stateOf());
    await turns();
    const of = (what: string) => events.filter((event) => event.startsWith(what));
    expect([of('says'), of('ack')]).toEqual([
      ['says stf_ready 1', 'says stf_ready 2'],
      ['acknowledges 1', 'acknowledges 2'],
    ]);
    expect([reader.hasUnheard(), reader.inHand()]).toEqual([false, []]);
  });

  it('is acknowledged once the execution has ended, and so are later messages', async () => {
    const { deliver, events, reader } = reading();
    deliver(stf(1));
    deliver(stf(5, { execution_id: 'w-x-0002' }));
    deliver(ended(execution_id));
    deliver(stf(2));
    await turns();
    expect(events).toEqual(['acknowledges workflow_ended', 'acknowledges 1', 'acknowledges 2']);
    expect([reader.hasUnheard(), reader.inHand().length]).toEqual([true, 1]);
  });

  it('is acknowledged without an answer if two hundred newer ones are waiting', async () => {
    const { deliver, events } = reading();
    for (let sequence = 1; sequence <= 202; sequence += 1) deliver(stf(sequence));
    await turns();
    expect(events).toEqual(['acknowledges 1', 'acknowledges 2']);
    // Acknowledged messages do not count.
    deliver(stf(203));
    await turns();
    expect(events.slice(2)).toEqual(['acknowledges 3']);
  });

  it('waits if a thousand other executions have ended since its own did', async () => {
    const { deliver, reader } = reading();
    for (let n = 0; n <= 1000; n += 1) deliver(ended(`w-x-${n}`));
    deliver(stf(1, { execution_id: 'w-x-0' }));
    deliver(stf(2, { execution_id: 'w-x-1' }));
    await turns();
    expect(reader.inHand()).toEqual(['w-x-0/stf_gen/swf.7.000001.stf']);
  });

  it('stays with the broker if the agent ends', async () => {
    const { deliver, events, reader, drain, views } = reading();
    deliver(stf(1));
    drain();
    views.close();
    await reader.settled();
    deliver(stf(2));
    views.hear(stateOf());
    await turns();
    expect([events, reader.inHand().length]).toEqual([[], 1]);
  });
});

describe('a remote agent', () => {
  it('works with the parameters of the recorder and of its host, and reports how long each step took', async () => {
    const { deliver, views, contexts, places, abouts, steps, logged, reach } = reading(true);
    views.hear(stateOf({ max_retries: 4, plan_version: 1 }));
    const { handle } = reach;
    reach.handle = async (message, context) => {
      context.log({ level: 'INFO', message: 'read' });
      await new Promise((resolve) => void setTimeout(resolve, 2000));
      return handle(message, context);
    };
    deliver(stf(1, { file_url: 'http://a:1/data/x/1.stf' }));
    await pass(3);
    const { params, ...context } = contexts[0] ?? {};
    expect(context).toMatchObject({ execution_id, run_number: 7, files: noDataFiles });
    expect(contexts[0]?.message('any')).toBeUndefined();
    const own = executionParamsSchema.parse({});
    expect(params).toMatchObject({
      plan_version: 1,
      data: { keep_hours: 3 },
      worker: { ...own.worker, max_retries: 4 },
      fast_processing: own.fast_processing,
    });
    expect(places).toEqual([
      {
        execution_id,
        filename: 'swf.7.000001.stf',
        file_url: 'http://a:1/data/x/1.stf',
        storeId: 's1',
        makesFiles: true,
      },
    ]);
    expect(abouts).toEqual([{ execution_id, run_id: '7', storeId: 's1' }]);
    expect(logged).toEqual([[{ level: 'INFO', message: 'read' }, execution_id]]);
    expect(steps).toEqual([2]);
    // A message that names no store belongs to the recorder that reports its execution.
    deliver(stf(2), { namespace });
    await pass(3);
    expect([places[1]?.storeId, places[1]?.file_url, abouts[1]?.storeId]).toEqual(['s1', undefined, undefined]);
  });

  it('handles messages of one execution in sequence, and those of different executions concurrently', async () => {
    const { deliver, views, events, reach, reader } = reading();
    for (const id of [execution_id, 'w-x-0002']) views.hear(stateOf({ execution_id: id }));
    const ends: (() => void)[] = [];
    const { handle } = reach;
    reach.handle = (message, context) =>
      new Promise((resolve) => void ends.push(() => resolve(handle(message, context))));
    deliver(stf(1));
    deliver(stf(2));
    deliver(stf(3, { execution_id: 'w-x-0002' }));
    await turns();
    expect(ends).toHaveLength(2);
    ends[1]?.();
    await turns();
    expect(events).toEqual(['says stf_ready 3', 'acknowledges 3']);
    let isSettled = false;
    void reader.settled().then(() => (isSettled = true));
    ends[0]?.();
    await turns();
    expect([ends.length, isSettled]).toEqual([3, false]);
    ends[2]?.();
    await turns();
    expect([events.at(-1), isSettled]).toEqual(['acknowledges 2', true]);
  });

  it('reports an answer that it cannot send, and continues reading', async () => {
    const { deliver, views, events, reach } = reading();
    views.hear(stateOf());
    reach.say = () => {
      reach.say = () => Promise.resolve(true);
      throw new Error('a bug');
    };
    deliver(stf(1));
    deliver(stf(2));
    await turns();
    expect(events).toEqual(['says stf_ready 1', 'fault: Error: a bug', 'says stf_ready 2', 'acknowledges 2']);
  });
});

describe('a message that cannot be answered', () => {
  const disk = new SwfError('DATA_UNAVAILABLE', 'the disk is full');

  it('is retried every half minute if the disk fails', async () => {
    const { deliver, views, events, reach, logged, contexts } = reading();
    views.hear(stateOf());
    const { handle } = reach;
    reach.handle = () => Promise.reject(disk);
    deliver(stf(1));
    await pass(59);
    expect([contexts.length, events]).toEqual([2, []]);
    expect(logged[0]).toEqual([
      {
        level: 'ERROR',
        message: `retrying ${execution_id}/stf_gen/swf.7.000001.stf: DATA_UNAVAILABLE: the disk is full`,
      },
      execution_id,
    ]);
    reach.handle = handle;
    await pass(1);
    expect(events).toEqual(['says stf_ready 1', 'acknowledges 1']);
  });

  it('is acknowledged if its execution ends in the meantime, and left on the broker if the agent ends', async () => {
    for (const end of ['execution', 'agent'] as const) {
      const { deliver, views, events, reach, drain, contexts } = reading();
      views.hear(stateOf());
      reach.handle = () => Promise.reject(disk);
      deliver(stf(1));
      await pass(1);
      if (end === 'agent') drain();
      else views.hear(stateOf({ status: 'failed' }));
      await pass(40);
      expect([end, events, contexts.length]).toEqual([end, end === 'agent' ? [] : ['acknowledges 1'], 1]);
    }
  });

  it('ends its execution after the agent has failed three times, with a reason that names the file', async () => {
    const { deliver, views, events, reach, logged, contexts } = reading();
    views.hear(stateOf());
    reach.handle = () => Promise.reject(new Error('a damaged frame'));
    deliver(stf(1));
    await turns();
    const reason = 'data-1 failed 3 times on stf_gen: a damaged frame';
    expect(events).toEqual([`stops ${execution_id}: ${reason} (swf.7.000001.stf)`, 'acknowledges 1']);
    expect(logged).toEqual([[{ level: 'ERROR', message: reason }, execution_id]]);
    expect(contexts).toHaveLength(3);
  });

  it('is acknowledged if its file is out of reach, and the agent is off duty until the file is reachable', async () => {
    const { deliver, views, events, reach, offDuty, contexts } = reading();
    views.hear(stateOf());
    reach.found = { obstacle: 'no way there' };
    deliver(stf(1, { file_url: 'http://a:1/data/x/1.stf' }));
    await turns();
    expect([events, contexts]).toEqual([['acknowledges 1'], []]);
    expect(offDuty.list()).toMatchObject([{ reason: 'NO_FILE', name: 'http://a:1/data', detail: 'no way there' }]);
    await pass(30);
    expect(offDuty.list()).toHaveLength(1);
    reach.isMended = true;
    await pass(30);
    expect(offDuty.list()).toEqual([]);
  });

  it.each<[string, NotFetched, number, number]>([
    ['keeps the agent off duty if the file host is away', new NotFetched('u', 'no answer', 'look'), 1, 0],
    ['is logged if the file host has no such file', new NoSuchFile('u', 'it is not there', 'look'), 0, 1],
  ])('because its file cannot be fetched %s', async (_, error, kinds, lines) => {
    const { deliver, views, events, reach, offDuty, logged } = reading();
    views.hear(stateOf());
    reach.handle = () => Promise.reject(error);
    deliver(stf(1));
    await turns();
    expect(events).toEqual(['acknowledges 1']);
    expect([offDuty.list().length, logged.length]).toEqual([kinds, lines]);
    if (lines === 1) expect(logged[0]).toEqual([{ level: 'ERROR', message: error.line }, execution_id]);
    else expect(offDuty.list()[0]?.detail).toBe(error.message);
  });

  it('because its file is missing on a shared disk is acknowledged when its execution ends', async () => {
    const { deliver, views, events, reach, logged, reader } = reading();
    views.hear(stateOf());
    reach.found = { files: noDataFiles, folder: '/not/there' };
    deliver(stf(1, { file_url: '/srv/data/x/1.stf' }));
    await pass(1);
    expect(events).toEqual([]);
    views.hear(stateOf({ status: 'completed' }));
    await reader.settled();
    expect([events, logged.length]).toEqual([['acknowledges 1'], 1]);
  });
});
