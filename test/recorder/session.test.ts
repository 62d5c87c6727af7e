import { describe, expect, it } from 'vitest';

import { storeId } from '../../src/db/log/store-identity.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { brokerAwaySince } from '../../src/db/presence/recorders.ts';
import { strangerSeconds } from '../../src/domain/liveness.ts';
import { noCounts } from '../helpers.ts';
import { pass, turns } from '../still-time.ts';
import { heartbeat } from './beats.ts';
import { driven, messageOf, sampleFields, saySample, saySlices, sliceFields, workFields } from './driven.ts';
import { delivery } from './inbox-setup.ts';
import { recordedOf, recorder, type Recorder } from './session-setup.ts';
import { destinations, execution_id, namespace } from './setup.ts';

const { broadcast, results, slices, telemetry } = destinations;
const daq = { ...driven, sender: 'daq-1' };
const stf = (sequence: number) => ({ filename: `swf.100010.00000${sequence}.stf`, sequence, tf_count: 100 });
const end = (made: Recorder, status: 'completed' | 'failed') =>
  made.say('workflow_ended', { ...noCounts, status, reason: 'it has ended' });

describe('a recorder that starts', () => {
  it('sends messages that an earlier one left unsent, and retries those that the broker refused', async () => {
    const made = await recorder();
    const heard = made.overhear(broadcast);
    for (const sequence of [1, 2]) await made.say('stf_gen', stf(sequence), { goesOut: true });
    made.store.db.exec("UPDATE message_rows SET goes_out = 0 WHERE short_id LIKE '%000001.stf'");
    const session = await made.open();
    expect(heard.map(({ body }) => body['filename'])).toEqual([stf(1).filename, stf(2).filename]);
    expect(session.storeId).toBe(await made.store.write((tx) => storeId(tx)));
    expect(heard[0]?.headers['store_id']).toBe(session.storeId);
    await made.say('stf_gen', stf(3), { goesOut: true });
    session.committed();
    await turns();
    expect(heard).toHaveLength(3);
    // It also sends messages that another process of the store has recorded.
    const other = await openStore(made.path);
    await other.write((tx) => {
      const message = messageOf('stf_gen', { ...stf(4), sender: 'daq-1', timestamp: new Date().toISOString() });
      other.messages.record(tx, message, { goesOut: true });
    });
    other.close();
    const { notifier } = session;
    const before = notifier.mark(new Set(['stf_gen']));
    await pass(0.1, 0.05);
    expect([heard.length, notifier.mark(new Set(['stf_gen'])) > before]).toEqual([4, true]);
    expect([made.faults, made.warnings]).toEqual([[], []]);
  });

  it('records messages sent while no recorder was running, each once, and notifies its parts of them', async () => {
    const made = await recorder();
    const session = await made.open();
    await made.say('stf_gen', stf(1));
    await session.close();
    await made.tell({ destination: broadcast, body: messageOf('stf_ready', { ...stf(1), sender: 'data-1' }) });
    expect(recordedOf(made)).toEqual([]);
    const next = await made.open();
    expect(recordedOf(made)).toEqual(['stf_ready applied']);
    expect(next.notifier.mark(new Set(['stf_ready']))).toBe(1);
    await made.tell({ destination: broadcast, body: messageOf('stf_ready', { ...stf(1), sender: 'data-1' }) });
    expect(recordedOf(made)).toHaveLength(1);
  });
});

describe('a recorder', () => {
  it.each(['activemq', 'rabbitmq'] as const)('receives only the results of its own slices over %s', async (kind) => {
    const made = await recorder(kind);
    const queued = made.overhear(slices);
    await saySample(made);
    await saySlices(made, 2);
    const { storeId: id } = await made.open();
    const own = `${results}.${namespace}.${id}`;
    const replyTo = queued[0]?.headers['reply_to'];
    expect(replyTo).toBe(kind === 'rabbitmq' ? own : undefined);
    const destination = replyTo ?? results;
    const headers = (store_id: string) => ({ store_id, ...(replyTo === undefined ? { namespace } : {}) });
    await made.tell({ destination, headers: headers(id), body: messageOf('slice_started', workFields(0)) });
    await made.tell({
      destination: results,
      headers: { namespace, store_id: 'another' },
      body: messageOf('slice_started', workFields(1)),
    });
    expect(recordedOf(made)).toEqual(['slice_started applied']);
    expect(made.broker.waiting(kind === 'rabbitmq' ? `${results}.${namespace}` : results)).toBe(1);
  });

  it('announces the states of its executions, and does so immediately if an agent has just started', async () => {
    const made = await recorder();
    const states = made.overhear(telemetry);
    const session = await made.open();
    session.drives(execution_id, daq);
    await pass(2);
    expect(states.map(({ body }) => [body['msg_type'], body['sender']])).toEqual([['execution_state', 'daq-1']]);
    expect(session.views.stateOf(execution_id)).toMatchObject({ store_id: session.storeId, status: 'running' });
    await made.tell({ destination: telemetry, body: heartbeat('worker-1') });
    expect(states.filter(({ body }) => body['msg_type'] === 'execution_state')).toHaveLength(2);
    expect(session.directory.hasOnDuty('worker')).toBe(true);
    await session.drivesNoMore(execution_id, false);
    const count = states.length;
    await pass(20);
    expect(states).toHaveLength(count);
  });

  it('resends a returned slice, and counts the starts that were lost with their worker', async () => {
    const made = await recorder();
    const queued = made.overhear(slices);
    await saySample(made);
    await saySlices(made, 1);
    const session = await made.open();
    session.drives(execution_id, daq);
    const { slice_filename } = sliceFields(0);
    const work = { store_id: session.storeId, namespace };
    for (const since of ['08:00', '09:00']) {
      await made.tell({ destination: telemetry, body: heartbeat('worker-1', 'worker', { since, free_slots: 0 }) });
      await made.tell({ destination: results, headers: work, body: messageOf('slice_started', workFields(0)) });
      await pass(1);
    }
    expect(session.repeatedStarts.lost({ execution_id, slice_filename, attempt: 1 })).toBe(1);
    const back = messageOf('slice_returned', { ...workFields(0), reason: 'NO_FILE' });
    await made.tell({ destination: results, headers: work, body: back });
    await pass(7);
    expect(queued.map(({ body }) => body['slice_filename'])).toEqual([slice_filename, slice_filename]);
    await session.drivesNoMore(execution_id, false);
    expect(session.repeatedStarts.lost({ execution_id, slice_filename, attempt: 1 })).toBe(0);
    expect(made.faults).toEqual([]);
  });

  it('resends a lost slice once a later one is begun, even if all workers are busy', async () => {
    const made = await recorder();
    const queued = made.overhear(slices);
    await saySample(made);
    const [, next = ''] = await saySlices(made, 2);
    const session = await made.open();
    session.drives(execution_id, daq);
    const begin = (id: number) =>
      made.tell({
        destination: results,
        headers: { store_id: session.storeId, namespace },
        body: messageOf('slice_started', workFields(id)),
      });
    const beBusy = (...in_hand: string[]) =>
      made.tell({ destination: telemetry, body: heartbeat('worker-1', 'worker', { free_slots: 0, in_hand }) });
    await begin(0);
    await pass(strangerSeconds, 10);
    await beBusy();
    await pass(40, 10);
    expect(queued).toHaveLength(2);
    await begin(1);
    await beBusy(next);
    await pass(10);
    expect(queued.slice(2).map(({ body }) => body['slice_id'])).toEqual([0]);
    expect(made.faults).toEqual([]);
  });

  it('lets a worker rest if others complete the slices that fail on it, and counts each result once', async () => {
    const made = await recorder();
    const session = await made.open();
    session.drives(execution_id, daq);
    const report = (worker: string, slice: number, fields: object) =>
      made.tell({
        destination: results,
        headers: { store_id: session.storeId, namespace },
        body: messageOf('slice_result', { ...workFields(slice, worker), ...fields }),
      });
    for (const worker of ['good', 'bad']) await made.tell({ destination: telemetry, body: heartbeat(worker) });
    const failed = { state: 'failed', error: 'no such file' };
    for (let slice = 10; slice < 30; slice += 1) await report('good', slice, { state: 'done' });
    for (let round = 0; round < 3; round += 1) await report('bad', 1, failed);
    expect(session.resting.of(execution_id).resting).toBeUndefined();
    for (const slice of [2, 3]) await report('bad', slice, failed);
    for (const slice of [1, 2, 3]) await report('good', slice, { attempt: 2, state: 'done' });
    expect(made.warnings).toEqual([expect.stringMatching(/^bad rests until /)]);
  });

  it('tells a worker to drop a slice that already has a result or was retried', async () => {
    const made = await recorder();
    const states = made.overhear(telemetry);
    await saySample(made);
    const [done, tried] = await saySlices(made, 3);
    const session = await made.open();
    session.drives(execution_id, daq);
    for (const id of [0, 1]) {
      await made.say('slice_started', workFields(id));
      await made.say('slice_result', { ...workFields(id), state: id === 0 ? 'done' : 'failed' });
    }
    await made.say('slice', { ...sliceFields(1), attempt: 2 }, { goesOut: true });
    for (const id of [0, 1, 2]) {
      const start = messageOf('slice_started', { ...workFields(id, 'worker-2'), sender: 'worker-2' });
      await made.tell({ destination: results, headers: { store_id: session.storeId, namespace }, body: start });
    }
    expect(states.flatMap(({ body }) => body['over'] ?? [])).toEqual([done, tried]);
    expect(made.faults).toEqual([]);
  });

  it('reports the new place of a sample that was made again', async () => {
    const made = await recorder();
    await saySample(made);
    await made.open();
    const again = { ...sampleFields('http://b:1/data/x/file.tf'), sender: 'tester' };
    await made.tell({ destination: broadcast, body: messageOf('tf_file_registered', again) });
    expect(made.warnings).toEqual([expect.stringMatching(/was made again: it is now at http:\/\/b:1\/data/)]);
  });

  it('records deliveries, as applied or refused, for a part that acknowledges them', async () => {
    const made = await recorder();
    const session = await made.open();
    await made.say('stf_gen', stf(1));
    const text = JSON.stringify(messageOf('stf_ready', { ...stf(1), sender: 'data-1' }));
    await session.record(broadcast, delivery(text));
    await session.record(broadcast, delivery('{}'), 'nobody may say this');
    expect(recordedOf(made)).toEqual(['stf_ready applied', 'unreadable rejected']);
  });
});

describe('an execution that is no longer driven', () => {
  const left = ({ broker }: Recorder): number => broker.waiting(slices);

  /** With three slices on the queue. */
  async function withLeft(): Promise<Recorder & { session: Awaited<ReturnType<Recorder['open']>> }> {
    const made = await recorder();
    await saySample(made);
    await saySlices(made, 3);
    const session = await made.open();
    session.drives(execution_id, daq);
    await pass(1);
    expect(left(made)).toBe(3);
    return { ...made, session };
  }

  const unsent = ({ store }: Recorder): number =>
    store.db.prepare('SELECT 1 FROM message_rows WHERE goes_out IS NOT NULL AND outbox_sent_at IS NULL').all().length;

  it.each<['completed' | 'failed', boolean, number]>([
    ['failed', true, 0],
    ['failed', false, 3],
    ['completed', true, 3],
  ])('with status %s (ended: %s) leaves %i slices on the queue', async (status, hasEnded, count) => {
    const made = await withLeft();
    await end(made, status);
    const states = made.overhear(telemetry);
    void made.session.drivesNoMore(execution_id, hasEnded);
    await pass(1, 0.1);
    expect([left(made), made.faults]).toEqual([count, []]);
    // Its last state is announced if it has ended.
    await pass(40);
    expect(states).toHaveLength(hasEnded ? 5 : 0);
  });

  it('loses its unsent slices immediately, and those on the queue when the broker is back', async () => {
    const made = await withLeft();
    made.broker.goDown();
    await made.say('slice', sliceFields(3), { goesOut: true });
    await end(made, 'failed');
    expect(unsent(made)).toBe(1);
    await made.session.drivesNoMore(execution_id, true);
    expect([unsent(made), left(made)]).toEqual([0, 3]);
    made.broker.comeUp();
    await pass(1, 0.1);
    expect(left(made)).toBe(0);
  });

  it('leaves no slices on the queue if it is completed and some slices were sent twice', async () => {
    const made = await withLeft();
    await made.tell({ destination: telemetry, body: heartbeat('worker-1', 'worker', { free_slots: 0 }) });
    await made.tell({
      destination: results,
      headers: { namespace, store_id: made.session.storeId },
      body: messageOf('slice_returned', { ...workFields(0), reason: 'NO_FILE' }),
    });
    await pass(7);
    expect(left(made)).toBe(4);
    await end(made, 'completed');
    void made.session.drivesNoMore(execution_id, true);
    await pass(1, 0.1);
    expect(left(made)).toBe(0);
  });
});

describe('the link to the broker', () => {
  it('is recorded as lost from the moment it breaks until the next report returns', async () => {
    const made = await recorder();
    const session = await made.open();
    const away = () => brokerAwaySince(made.store.sql, namespace);
    session.drives(execution_id, daq);
    await pass(3);
    expect(session.link.hearingMilliseconds()).toBe(3000);
    made.broker.goDown();
    session.link.noteBreak();
    await pass(2);
    expect([away(), session.link.hearingMilliseconds()]).toEqual(['2026-01-01T00:00:03.000Z', 0]);
    made.broker.comeUp();
    await pass(7);
    expect([away(), session.link.hearingMilliseconds()]).toEqual([undefined, 7000]);
  });

  it("counts as lost if the recorder's own reports do not return, unless other messages arrive", async () => {
    const made = await recorder();
    const session = await made.open();
    const away = () => brokerAwaySince(made.store.sql, namespace);
    await pass(20);
    session.drives(execution_id, daq);
    await pass(30);
    expect(away()).toBeUndefined();
    made.broker.refuse(({ headers }) => headers['msg_type'] === 'execution_state');
    for (let round = 0; round < 4; round += 1) {
      await pass(5);
      await made.tell({ destination: broadcast, body: messageOf('stf_ready', { ...stf(1), sender: 'data-1' }) });
    }
    expect(away()).toBeUndefined();
    await pass(11);
    expect(away()).toBe('2026-01-01T00:01:10.000Z');
  });
});
