import { describe, expect, it, vi } from 'vitest';

import { noCounts } from '../helpers.ts';
import { pass, turns } from '../still-time.ts';
import { heartbeat } from './beats.ts';
import { driven, messageOf, saySample, saySlices, workFields } from './driven.ts';
import { recorder } from './session-setup.ts';
import { destinations, execution_id, namespace } from './setup.ts';

const { broadcast, results, slices, telemetry } = destinations;
const stf = { filename: 'swf.100010.000001.stf', sequence: 1, tf_count: 100 };
const late = 'the broker has not confirmed all messages; waiting up to 30 s';
const lost = 'some messages are still unconfirmed; the next recorder of this store and namespace sends them';

/** A recorder that ends while the broker is away and has not received one of its messages. */
async function ending(how?: 'usual' | 'hurried' | 'none') {
  const made = await recorder();
  const heard = made.overhear(broadcast);
  const session = await made.open();
  made.broker.goDown();
  // Without the warnings about the break itself.
  made.warnings.splice(0);
  await made.say('stf_gen', stf, { goesOut: true });
  session.committed();
  let isOver = false;
  const over = session.close(how).then(() => (isOver = true));
  return { ...made, heard, over, isOver: () => isOver };
}

describe('a recorder that ends', () => {
  it('waits half a minute for the broker, warns after a second, and leaves unconfirmed messages to the next recorder', async () => {
    const { warnings, isOver } = await ending();
    await pass(0.9, 0.1);
    expect(warnings).toEqual([]);
    await pass(0.2, 0.1);
    expect(warnings).toEqual([late]);
    await pass(28, 0.5);
    expect(isOver()).toBe(false);
    await pass(3, 0.5);
    expect([warnings, isOver()]).toEqual([[late, lost], true]);
  });

  it('ends as soon as the broker has confirmed everything', async () => {
    const { warnings, isOver, broker, heard } = await ending('usual');
    await pass(5);
    broker.comeUp();
    await pass(0.1, 0.02);
    expect([warnings, isOver(), heard.length]).toEqual([[late], true, 1]);
  });

  it('waits one more second if it is asked to hurry, and not at all if its store cannot record receipts', async () => {
    const hurried = await ending('hurried');
    await pass(1.5, 0.1);
    expect([hurried.warnings, hurried.isOver()]).toEqual([[late.replace('30 s', '1 s')], false]);
    await pass(0.7, 0.1);
    expect([hurried.warnings.at(-1), hurried.isOver()]).toEqual([lost, true]);
    const none = await ending('none');
    await turns();
    expect([none.warnings, none.isOver()]).toEqual([[], true]);
  });

  it('announces the end of its executions, and leaves no timer, connection or subscription behind', async () => {
    const made = await recorder();
    const before = vi.getTimerCount();
    const states = made.overhear(telemetry);
    const session = await made.open();
    session.drives(execution_id, { ...driven, sender: 'daq-1' });
    await made.say('workflow_ended', { ...noCounts, status: 'completed', reason: 'completed' });
    await pass(1);
    const over = session.close();
    await pass(1, 0.1);
    await over;
    expect(states.at(-1)?.body).toMatchObject({ status: 'completed' });
    expect(vi.getTimerCount()).toBe(before);
    expect(session.broker.isUp()).toBe(false);
    // Nothing listens as this recorder now, so the broker keeps messages for it.
    expect(made.broker.isHeldElsewhere(`swf.${namespace}.${session.storeId}`, nobody)).toBe(false);
  });
});

const nobody = {} as Parameters<Awaited<ReturnType<typeof recorder>>['broker']['isHeldElsewhere']>[1];

describe('a recorder warns', () => {
  it('once about messages of an execution that its store does not know', async () => {
    const made = await recorder();
    await made.open();
    const body = messageOf('stf_ready', { ...stf, sender: 'data-1', execution_id: 'x-other-0001' });
    for (let round = 0; round < 2; round += 1) await made.tell({ destination: broadcast, body });
    expect(made.warnings).toEqual([
      `messages of x-other-0001, which this store does not know, are arriving: another store uses namespace ${namespace} on this broker; those messages are recorded without effect`,
    ]);
  });

  it('about a message that the broker refuses', async () => {
    const made = await recorder();
    made.broker.refuse(({ body }) => body.includes('stf_gen'));
    const session = await made.open();
    const { message_id } = await made.say('stf_gen', stf, { goesOut: true });
    session.committed();
    await pass(10);
    expect(made.warnings).toEqual([
      `${message_id} was not sent: BROKER_REFUSED: the broker does not take this message`,
    ]);
  });

  it('about breaks in its additional connections', async () => {
    const made = await recorder();
    const session = await made.open();
    const apart = session.connectApart();
    await apart.connect({ once: true });
    made.broker.goDown();
    const line = 'BROKER_UNREACHABLE: not connected to the broker';
    // The connection of the durable subscription, and the new one.
    expect(made.warnings).toEqual([line, line]);
    await apart.close();
  });

  it('only about a worker that takes slices but whose reports never arrive', async () => {
    const made = await recorder();
    await saySample(made);
    const ids = await saySlices(made, 2);
    const session = await made.open();
    session.drives(execution_id, { ...driven, sender: 'daq-1' });
    const work = { namespace, store_id: session.storeId };
    await made.tell({ destination: results, headers: work, body: messageOf('slice_started', workFields(1)) });
    const beat = (name: string, in_hand: string[]): Promise<void> =>
      made.tell({ destination: telemetry, body: heartbeat(name, 'worker', { in_hand, slots: 2 }) });
    await beat('worker-1', ids.slice(1));
    await beat('stranger', ids.slice(0, 1));
    for (let second = 0; second < 50; second += 5) {
      await beat('worker-1', []);
      await beat('stranger', []);
      await pass(5);
    }
    expect(made.warnings.filter((line) => line.includes('never arrive'))).toEqual([
      "stranger takes slices, but its reports on them never arrive: they must carry the slice's store_id header",
    ]);
    expect(made.overhear(slices)).toEqual([]);
  });
});

describe('a foreign program in the namespace', () => {
  it.each([broadcast, '/topic/of.the.site'])('is a fault if it is heard on %s', async (on) => {
    const made = await recorder();
    await made.open();
    const body = { msg_type: 'transformer_ready', sender: 'foreign-agent', namespace, run_id: '7' };
    await made.tell({ destination: on, headers: {}, body: { ...body, namespace: 'other' } });
    expect(made.faults).toEqual([]);
    await made.tell({ destination: on, headers: {}, body });
    expect(made.faults[0]).toMatchObject({
      code: 'NAMESPACE_IN_USE',
      message: expect.stringMatching(
        new RegExp(`foreign-agent \\(\\S+ on ${on}\\).*This process therefore leaves the namespace`),
      ),
    });
  });
});
