import { describe, expect, it } from 'vitest';

import { delivery, listen, rows, setUpWithFiles, stf } from './inbox-setup.ts';
import { destinations, execution_id, namespace } from './setup.ts';

describe('an inbox', () => {
  it('records a message once, however often it arrives, and reports the types of new messages', async () => {
    const made = await setUpWithFiles();
    const { next, recorded } = listen(made);
    for (const text of [stf(1), stf(1), stf(2)])
      await made.theirs.send({ destination: destinations.broadcast, headers: { namespace }, body: text });
    await next(2);
    expect(recorded).toEqual(['stf_ready', 'stf_ready']);
    expect(rows(made)).toEqual([
      { type: 'stf_ready', effect: 'applied', code: null },
      { type: 'stf_ready', effect: 'applied', code: null },
    ]);
    expect(made.faults).toEqual([]);
  });

  it('acknowledges a message only once it has been recorded', async () => {
    const made = await setUpWithFiles();
    const { inbox, next } = listen(made);
    const seen: string[] = [];
    const count = (): number => rows(made).length;
    const { onMessage } = inbox.work('broadcast', destinations.broadcast);
    const deliver = (text: string): void =>
      onMessage(delivery(text, () => void seen.push(`${count()} rows when acknowledged`)));
    deliver(stf(1));
    deliver(stf(2));
    expect([seen, count()]).toEqual([[], 0]);
    await next(2);
    await expect.poll(() => seen).toEqual(['2 rows when acknowledged', '2 rows when acknowledged']);
    // A store that cannot be written keeps the broker's copy.
    made.store.close();
    deliver(stf(3));
    await expect.poll(() => made.faults).toHaveLength(1);
    expect(seen).toHaveLength(2);
  });

  it('ignores messages of another namespace, by header or by body', async () => {
    const made = await setUpWithFiles();
    const { next } = listen(made);
    await made.theirs.send({ destination: destinations.broadcast, headers: { namespace: 'other' }, body: stf(1) });
    await made.theirs.send({
      destination: destinations.broadcast,
      headers: {},
      body: stf(1).replace('"test"', '"other"'),
    });
    await made.theirs.send({ destination: destinations.broadcast, headers: {}, body: stf(1) });
    await next(1);
    expect(rows(made)).toHaveLength(1);
  });

  it('records messages that are unreadable or on the wrong destination as rejected', async () => {
    const made = await setUpWithFiles();
    const { next } = listen(made);
    await made.theirs.send({ destination: destinations.results, headers: { namespace }, body: '{broken' });
    await made.theirs.send({ destination: destinations.results, headers: { namespace }, body: stf(2) });
    await made.theirs.send({ destination: destinations.broadcast, headers: { namespace }, body: stf(1) });
    await next(1);
    expect(rows(made)).toEqual(
      expect.arrayContaining([
        { type: 'unreadable', effect: 'rejected', code: 'UNREADABLE' },
        { type: 'unreadable', effect: 'rejected', code: 'UNREADABLE' },
        { type: 'stf_ready', effect: 'applied', code: null },
      ]),
    );
    expect(rows(made)).toHaveLength(3);
    expect(made.broker.waiting(destinations.results)).toBe(0);
    // A known message is not refused if it arrives again on another destination.
    await made.theirs.send({ destination: destinations.results, headers: { namespace }, body: stf(1) });
    await made.theirs.send({ destination: destinations.broadcast, headers: { namespace }, body: stf(3) });
    await next(2);
    expect(rows(made)).toHaveLength(4);
  });

  it('reports once that an execution is unknown to its store', async () => {
    const made = await setUpWithFiles();
    const { next, strays } = listen(made);
    for (const sequence of [1, 2])
      await made.theirs.send({
        destination: destinations.broadcast,
        headers: { namespace },
        body: stf(sequence).replace(execution_id, 'theirs-x-0001'),
      });
    await made.theirs.send({ destination: destinations.broadcast, headers: { namespace }, body: stf(1) });
    await next(3);
    expect(strays).toEqual(['theirs-x-0001']);
  });
});
