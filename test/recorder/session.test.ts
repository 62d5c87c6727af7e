import { describe, expect, it } from 'vitest';

import { storeId } from '../../src/db/log/store-identity.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { brokerAwaySince } from '../../src/db/presence/recorders.ts';
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

describe('a recorder that begins', () => {
  it('sends what an earlier one left unsent, and tries again what the broker refused from it', async () => {
    const made = await recorder();
    const heard = made.overhear(broadcast);
    for (const sequence of [1, 2]) await made.say('stf_gen', stf(sequence), { goesOut: true });
    made.store.db.exec("UPDATE message_rows SET goes_out = 0 WHERE message_id LIKE '%000001.stf'");
    const session = await made.open();
    expect(heard.map(({ body }) => body['filename'])).toEqual([stf(1).filename, stf(2).filename]);
    expect(session.storeId).toBe(await made.store.write((tx) => storeId(tx)));
    expect(heard[0]?.headers['store_id']).toBe(session.storeId);
    await made.say('stf_gen', stf(3), { goesOut: true });
    session.committed();
    await turns();
    expect(heard).toHaveLength(3);
    // Also what another process of the store has recorded.
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

  it('hears what was said while none was there, once, and wakes its parts', async () => {
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
  it.each(['activemq', 'rabbitmq'] as const)(
    'gets the results of its own slices over %s, and no others',
    async (kind) => {
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
    },
  );

  it('says how its executions are, at once to an agent that has just begun', async () => {
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

  it('sends again what was returned, and knows which starts were lost with their worker', async () => {
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
    expect(session.repeatedStarts.lost(execution_id, slice_filename, 1)).toBe(1);
    const back = messageOf('slice_returned', { ...workFields(0), reason: 'NO_FILE' });
    await made.tell({ destination: results, headers: work, body: back });
    await pass(7);
    expect(queued.map(({ body }) => body['slice_filename'])).toEqual([slice_filename, slice_filename]);
    await session.drivesNoMore(execution_id, false);
    expect(session.repeatedStarts.lost(execution_id, slice_filename, 1)).toBe(0);
    expect(made.faults).toEqual([]);
  });

  it('notes where a sample is now that was made again', async () => {
    const made = await recorder();
    await saySample(made);
    await made.open();
    const again = { ...sampleFields('http://b:1/data/x/file.tf'), sender: 'tester' };
    await made.tell({ destination: broadcast, body: messageOf('tf_file_registered', again) });
    expect(made.warnings).toEqual([expect.stringMatching(/was made again: it is at http:\/\/b:1\/data/)]);
  });

  it('records a delivery as it is or as refused, for a part that acknowledges it itself', async () => {
    const made = await recorder();
    const session = await made.open();
    await made.say('stf_gen', stf(1));
    const text = JSON.stringify(messageOf('stf_ready', { ...stf(1), sender: 'data-1' }));
    await session.record(broadcast, delivery(text));
    await session.record(broadcast, delivery('{}'), 'nobody may say this');
    expect(recordedOf(made)).toEqual(['stf_ready applied', 'unreadable rejected']);
  });
});

describe('an execution that is driven no more', () => {
  const left = ({ broker }: Recorder): number => broker.waiting(slices);

  /** With slices on the queue, one of which the broker has not got. */
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
  ])('leaves no slices behind where it has %s (ended: %s): %i are left', async (status, hasEnded, count) => {
    const made = await withLeft();
    await end(made, status);
    const states = made.overhear(telemetry);
    void made.session.drivesNoMore(execution_id, hasEnded);
    await pass(1, 0.1);
    expect([left(made), made.faults]).toEqual([count, []]);
    // The last words about it are said where it has ended.
    await pass(40);
    expect(states).toHaveLength(hasEnded ? 5 : 0);
  });

  it('loses its slices on the queue later where the broker is away, and those that wait to be sent at once', async () => {
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

  it('is looked after where it is completed and some of its slices were sent twice', async () => {
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

describe('the line to the broker', () => {
  it('counts as lost in the store from its break on, and is heard again with the next report', async () => {
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

  it('counts as lost where its own reports do not come back, unless other messages do', async () => {
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
