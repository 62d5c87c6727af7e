import { describe, expect, it } from 'vitest';

import { remoteAgentName } from '../../src/remote/remote-process.ts';
import { heartbeat } from '../recorder/beats.ts';
import { pass, turns } from '../still-time.ts';
import { agentSite, type AgentSite, sliceHeaders, sliceOf } from './agent-setup.ts';
import { destinations, execution_id, namespace, type Overheard, stateOf } from './line.ts';

const { results, slices, telemetry } = destinations;
const name = remoteAgentName('worker', 'tester', 1);
const slots = (target_worker_count: number) => ({ fast_processing: { target_worker_count } });

const tellSlice = (
  here: AgentSite,
  id: number,
  seconds: number,
  more: object = {},
  headers: object = {},
): Promise<void> => here.tell(slices, sliceOf(id, seconds, more), { ...sliceHeaders, ...headers });

const said = (heard: Overheard[]): unknown[] =>
  heard.map(({ second, body }) => [second, body['msg_type'], body['slice_id']]);

describe('a remote worker', () => {
  it('works on as many slices as it has slots, and reports their start, result and duration', async () => {
    const here = await agentSite();
    const heard = here.overhear(results);
    const agent = await here.start('worker', {}, slots(2));
    await here.tell(telemetry, stateOf());
    for (const id of [0, 1, 2]) await tellSlice(here, id, 10);
    await pass(1);
    expect(said(heard)).toEqual([
      [0, 'slice_started', 0],
      [0, 'slice_started', 1],
    ]);
    expect(heard[0]?.body).toMatchObject({
      sender: name,
      namespace,
      execution_id,
      run_id: '7',
      attempt: 1,
      worker_id: expect.stringMatching(new RegExp(`^${name}/`)),
    });
    expect(heard[0]?.headers).toMatchObject({ namespace, store_id: 's1' });
    expect(agent.figures()).toMatchObject({ slots: { free: 0, busy: 2 }, behind: {} });
    expect(here.beats(name).at(-1)).toMatchObject({
      state: 'PROCESSING',
      slots: 2,
      free_slots: 0,
      in_hand: [0, 1].map((id) => `${execution_id}/slice/swf.7.000001_slice_00${id}.tf/1`),
    });
    expect(here.broker.waiting(slices)).toBe(1);
    await pass(20);
    expect(said(heard.slice(2)).toSorted()).toEqual(
      [
        [10, 'slice_result', 0],
        [10, 'slice_result', 1],
        [10, 'slice_started', 2],
        [20, 'slice_result', 2],
      ].toSorted(),
    );
    expect(here.steps).toEqual([10, 10, 10]);
    expect(agent.figures()).toMatchObject({ slots: { free: 2, busy: 0 } });
    expect(here.beats(name).at(-1)).toMatchObject({ state: 'READY', free_slots: 2, in_hand: [] });
  });

  it('takes one slice at a time while on trial, and is off duty while that slice is in hand', async () => {
    const here = await agentSite();
    const heard = here.overhear(results);
    await here.start('worker', {}, slots(2));
    const detail = 'is on trial';
    await here.tell(telemetry, stateOf({ on_trial: [{ agent: name, detail }] }));
    const lastBeat = () => here.beats(name).at(-1);
    expect(lastBeat()).toMatchObject({ off_duty: [] });
    for (const id of [0, 1, 2]) await tellSlice(here, id, 10);
    await pass(1);
    const off_duty = [{ reason: 'FAILING', name: execution_id, detail }];
    expect([said(heard), lastBeat()]).toMatchObject([
      [[0, 'slice_started', 0]],
      { in_hand: [expect.any(String)], off_duty },
    ]);
    await pass(10);
    expect(said(heard).map((one) => (one as unknown[])[2])).toEqual([0, 0]);
    await here.tell(telemetry, stateOf({ on_trial: [{ agent: name, detail }] }));
    expect(said(heard).map((one) => (one as unknown[])[2])).toEqual([0, 0, 1]);
    await here.tell(telemetry, stateOf());
    await pass(1);
    expect([said(heard).length, lastBeat()]).toMatchObject([4, { off_duty: [] }]);
  });

  it('takes no further slice until the broker has confirmed its result', async () => {
    const here = await agentSite();
    const heard = here.overhear(results);
    await here.start('worker', {}, slots(1));
    await here.tell(telemetry, stateOf());
    here.broker.refuse(({ headers }) => headers['msg_type'] === 'slice_result');
    await tellSlice(here, 0, 1);
    await tellSlice(here, 1, 1);
    await pass(1.5, 0.5);
    // The first result is not confirmed, so its slot takes no other slice.
    expect([said(heard), here.broker.waiting(slices)]).toEqual([[[0, 'slice_started', 0]], 1]);
    here.broker.refuse(() => false);
    await pass(3, 0.5);
    expect(said(heard).slice(1, 3)).toEqual([
      [2, 'slice_result', 0],
      [2, 'slice_started', 1],
    ]);
  });

  it('starts a slice within half a second even if the broker refuses slice_started', async () => {
    const here = await agentSite();
    const heard = here.overhear(results);
    await here.start('worker', {}, slots(1));
    await here.tell(telemetry, stateOf());
    here.broker.refuse(({ headers }) => headers['msg_type'] === 'slice_started');
    await tellSlice(here, 0, 2);
    await pass(4, 0.25);
    expect(said(heard)).toEqual([[2.5, 'slice_result', 0]]);
  });

  it('sends results to the reply-to queue of the recorder', async () => {
    const here = await agentSite();
    const own = here.overhear('/queue/own');
    await here.start('worker');
    await here.tell(telemetry, stateOf());
    await tellSlice(here, 0, 1, {}, { reply_to: '/queue/own' });
    await pass(2);
    expect(own.map(({ body }) => body['msg_type'])).toEqual(['slice_started', 'slice_result']);
  });

  it('discards a message that is not a slice, and reports the beginning of its text', async () => {
    const here = await agentSite();
    await here.start('worker');
    await here.tell(slices, `no slice ${'x'.repeat(300)}`, sliceHeaders);
    expect(here.warnings()).toEqual([
      `discarded a message on the slice queue that is not a slice: no slice ${'x'.repeat(191)}`,
    ]);
    expect(here.broker.waiting(slices)).toBe(0);
  });

  it('finishes the slice in hand before it ends, and takes no other', async () => {
    const here = await agentSite();
    const heard = here.overhear(results);
    const agent = await here.start('worker', {}, slots(1));
    await here.tell(telemetry, stateOf());
    await tellSlice(here, 0, 5);
    agent.stop();
    let isOver = false;
    void agent.done.then(() => (isOver = true));
    await tellSlice(here, 1, 5);
    await pass(4);
    expect(isOver).toBe(false);
    expect(agent.figures()).toMatchObject({ slots: { free: 0, busy: 1 } });
    await pass(2);
    expect([isOver, said(heard).at(-1), here.broker.waiting(slices)]).toEqual([true, [5, 'slice_result', 0], 1]);
  });

  it('drops a slice when its recorder says that the attempt is over, and takes the next one', async () => {
    const here = await agentSite();
    const heard = here.overhear(results);
    await here.start('worker', {}, slots(1));
    await here.tell(telemetry, stateOf());
    for (const id of [0, 1]) await tellSlice(here, id, 100);
    await pass(1);
    const over = [`${execution_id}/slice/swf.7.000001_slice_000.tf/1`];
    // Another store's slice may have the same name.
    await here.tell(telemetry, stateOf({ store_id: 'another', over }));
    await pass(1);
    expect(said(heard)).toEqual([[0, 'slice_started', 0]]);
    await here.tell(telemetry, stateOf({ over }));
    await pass(1);
    expect([said(heard).slice(1), here.broker.waiting(slices)]).toEqual([[[2, 'slice_started', 1]], 0]);
    expect(here.beats(name).at(-1)).toMatchObject({
      in_hand: [`${execution_id}/slice/swf.7.000001_slice_001.tf/1`],
    });
  });

  it('abandons the slices of an execution that has ended, and sends nothing more about it', async () => {
    const here = await agentSite();
    const heard = here.overhear(results);
    const agent = await here.start('worker', {}, slots(1));
    await here.tell(telemetry, stateOf());
    await tellSlice(here, 0, 100);
    await here.tell(telemetry, stateOf({ status: 'terminated' }));
    await pass(1);
    expect([said(heard), agent.figures().slots]).toEqual([[[0, 'slice_started', 0]], { free: 1, busy: 0 }]);
    // Its remaining slices on the queue are acknowledged without work.
    await tellSlice(here, 1, 1);
    await pass(5);
    expect([heard.length, here.broker.waiting(slices)]).toEqual([1, 0]);
  });

  it('warns if the recorder is silent while the worker holds a slice', async () => {
    const here = await agentSite();
    await here.start('worker', {}, slots(1));
    await here.tell(telemetry, stateOf());
    await tellSlice(here, 0, 20);
    await pass(17);
    expect(here.warnings()).toEqual([
      expect.stringMatching(/^no recorder of namespace test has been heard from for 15 s/),
    ]);
  });
});

describe('slices that cannot be done now', () => {
  it('stay on the queue if their execution is paused, and are done when it continues', async () => {
    const here = await agentSite();
    const heard = here.overhear(results);
    await here.start('worker', {}, slots(1));
    await here.tell(telemetry, stateOf({ held: true }));
    await tellSlice(here, 0, 1);
    await pass(3);
    expect([heard, here.broker.waiting(slices)]).toEqual([[], 1]);
    await here.tell(telemetry, stateOf());
    await pass(2);
    expect(said(heard).map((line) => (line as unknown[])[1])).toEqual(['slice_started', 'slice_result']);
  });

  it('of a kind that a worker cannot do are returned once, and then stay on the queue for others', async () => {
    const here = await agentSite();
    const heard = here.overhear(results);
    const agent = await here.start('worker', {}, slots(1));
    await here.tell(telemetry, stateOf());
    const payload = { name: 'reco', digest: 'sha256:1' };
    const headers = { payload: 'reco sha256:1' };
    await tellSlice(here, 0, 1, { payload }, headers);
    await tellSlice(here, 1, 1, { payload }, headers);
    await tellSlice(here, 2, 1);
    await pass(2);
    expect(said(heard).map((line) => (line as unknown[]).slice(1))).toEqual([
      ['slice_returned', 0],
      ['slice_started', 2],
      ['slice_result', 2],
    ]);
    expect(heard[0]?.body).toMatchObject({ reason: 'NO_PAYLOAD', detail: expect.stringContaining('reco sha256:1') });
    expect(here.broker.waiting(slices)).toBe(1);
    expect(here.beats(name).at(-1)).toMatchObject({ off_duty: [{ reason: 'NO_PAYLOAD', name: 'reco sha256:1' }] });
    expect(agent.figures().offDuty).toEqual({ NO_FILE: 0, NO_PAYLOAD: 1, WRONG_FILE: 0 });
    expect(here.warnings()).toEqual([expect.stringMatching(/^off duty for NO_PAYLOAD reco /)]);
  });

  it.each([
    ['leaves the queue to a worker that can do them', 'worker-2', [], 0],
    ['stays on the queue if it hears no other worker', undefined, [], 1],
    ['stays on the queue if the other cannot do them either', 'worker-2', [{ reason: 'NO_PAYLOAD', name: 'reco' }], 1],
    ['stays on the queue if it hears only itself', name, [], 1],
  ])('on a broker without selectors: the worker %s', async (_, other, off_duty, free_slots) => {
    const here = await agentSite('rabbitmq');
    const agent = await here.start('worker', {}, slots(1));
    await here.tell(telemetry, stateOf());
    if (other !== undefined)
      await here.tell(telemetry, heartbeat(other, 'worker', { off_duty, since: '2026-01-01T00:00:00.000Z' }));
    await tellSlice(here, 0, 1, { payload: { name: 'reco' } });
    await turns(40);
    await pass(0.1, 0.1);
    expect(agent.figures().slots).toEqual({ free: free_slots, busy: 0 });
  });

  it('do not make a worker leave the queue if it could do the previous slice', async () => {
    const here = await agentSite('rabbitmq');
    const agent = await here.start('worker', {}, slots(2));
    await here.tell(telemetry, stateOf());
    await here.tell(telemetry, heartbeat('worker-2', 'worker'));
    const payload = { payload: { name: 'reco' } };
    for (const [id, more] of [
      [0, payload],
      [1, {}],
      [2, payload],
    ] as const) {
      await tellSlice(here, id, 1, more);
      await pass(2);
    }
    expect(agent.figures().slots).toEqual({ free: 2, busy: 0 });
  });
});
