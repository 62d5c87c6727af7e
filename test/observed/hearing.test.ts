import { describe, expect, it } from 'vitest';

import { createHearing } from '../../src/observed/hearing.ts';

type Hearing = ReturnType<typeof createHearing>;

const silence = 25_000;
const start = 1_000_000;
const iso = (at: number): string => new Date(at).toISOString();

/** Ticks each second after a moment until another. */
function tickOn(hearing: Hearing, from: number, end: number): void {
  for (let now = from + 1000; now <= end; now += 1000) hearing.tick(now);
}

/** Hears from `start` on, with a tick each second until a moment. */
function heardUntil(end: number): Hearing {
  const hearing = createHearing(silence, start);
  hearing.back(start);
  tickOn(hearing, start, end);
  return hearing;
}

/** The gap after a connection that fell silent, noticed at a moment; the usual one is a millisecond before it is back. */
const gapOf = (hearing: Hearing, back: number, lost = back - 1, aliveAt?: number): unknown => {
  hearing.lost('cut', lost, aliveAt);
  return hearing.back(back)?.gap;
};

describe('a gap', () => {
  it('lasts until the first session, since until then nothing can be heard', () => {
    const hearing = createHearing(silence, start);
    hearing.lost('refused', start + 20, undefined);
    expect(hearing.back(start + 50)?.gap).toEqual({
      from: iso(start),
      until: iso(start + 50),
      reason: 'the observer was not connected yet',
    });
  });

  it('does not exist while the connection is up', () => {
    expect(heardUntil(start + 60_000).back(start + 60_000)).toBeUndefined();
  });

  it('begins as long before the loss as a broker may be silent', () => {
    const lost = start + 60_000;
    expect(gapOf(heardUntil(lost), lost + 5000, lost)).toEqual({
      from: iso(lost - silence),
      until: iso(lost + 5000),
      reason: 'cut',
    });
  });

  it('does not begin before the last message', () => {
    const lost = start + 60_000;
    const hearing = heardUntil(lost);
    hearing.message(lost - 3000, '/topic/a');
    expect(gapOf(hearing, lost + 1)).toMatchObject({ from: iso(lost - 3000) });
  });

  it('does not begin before the observer started', () => {
    expect(gapOf(heardUntil(start + 2000), start + 9000)).toMatchObject({ from: iso(start) });
  });

  it('begins with the first of several failures, and ends with the next session', () => {
    const lost = start + 60_000;
    const hearing = heardUntil(lost);
    hearing.lost('cut', lost, undefined);
    hearing.lost('refused', lost + 20_000, lost + 20_000);
    expect(hearing.back(lost + 40_000)?.gap).toMatchObject({ from: iso(lost - silence), reason: 'cut' });
    expect(hearing.back(lost + 50_000)).toBeUndefined();
  });

  it.each([
    ['before the tick that sees the standstill', 0],
    ['after the tick that sees the standstill', 2000],
  ])('begins before a standstill of the process if the loss is found %s', (_, later) => {
    const stopped = start + 60_000;
    const hearing = heardUntil(stopped);
    const awake = stopped + 60_000;
    if (later > 0) hearing.tick(awake);
    expect(gapOf(hearing, awake + later + 1000)).toMatchObject({ from: iso(stopped - silence) });
  });

  it('does not begin at a standstill that the connection has survived', () => {
    const stopped = start + 60_000;
    const hearing = heardUntil(stopped);
    const awake = stopped + 10_000;
    for (let now = awake; now <= awake + 100_000; now += 1000) hearing.tick(now);
    const lost = awake + 100_000;
    expect(gapOf(hearing, lost + 1)).toMatchObject({ from: iso(lost - silence) });
  });

  it('begins before a standstill, even if messages that had been waiting arrive after it', () => {
    const stopped = start + 60_000;
    const hearing = heardUntil(stopped);
    const awake = stopped + 60_000;
    hearing.message(awake, '/topic/a');
    hearing.tick(awake + 1);
    hearing.message(awake + 2, '/topic/a');
    expect(gapOf(hearing, awake + 1000)).toMatchObject({ from: iso(stopped - silence) });
  });

  it('begins with the last message again once the connection has survived a standstill', () => {
    const stopped = start + 60_000;
    const hearing = heardUntil(stopped);
    const awake = stopped + 10_000;
    for (let now = awake; now <= awake + silence; now += 1000) hearing.tick(now);
    hearing.message(awake + silence + 500, '/topic/a');
    expect(gapOf(hearing, awake + silence + 900)).toMatchObject({ from: iso(awake + silence + 500) });
  });

  it('begins when the connection is closed, with no allowance for a silent broker', () => {
    const lost = start + 60_000;
    expect(gapOf(heardUntil(lost), lost + 13_000, lost, lost)).toMatchObject({ from: iso(lost) });
    expect(gapOf(heardUntil(lost), lost + 13_000, lost, lost - 4000)).toMatchObject({ from: iso(lost - 4000) });
  });

  it.each([
    ['after the tick that sees the standstill', 2000],
    ['before the tick that sees the standstill', 0],
  ])('begins before a standstill if the connection is found closed %s', (_, later) => {
    const stopped = start + 60_000;
    const hearing = heardUntil(stopped);
    const awake = stopped + 60_000;
    if (later > 0) hearing.tick(awake);
    expect(gapOf(hearing, awake + 5000, awake + later, awake + later)).toMatchObject({ from: iso(stopped - silence) });
  });

  it('that is still open extends to the present, and grows until it ends', () => {
    const hearing = heardUntil(start + 60_000);
    expect(hearing.gap(start + 60_000)).toBeUndefined();
    hearing.lost('cut', start + 60_000, start + 60_000);
    expect(hearing.gap(start + 61_000)?.gap).toMatchObject({ until: iso(start + 61_000) });
    expect(hearing.back(start + 62_000)?.gap).toMatchObject({ from: iso(start + 60_000), until: iso(start + 62_000) });
  });
});

/** Broker's clocks that are off must not matter: this one is 40 s ahead. */
const ahead = 40_000;

describe('the time up to which messages were received', () => {
  /** A connection on which messages take 20 ms, with one message received. */
  function steady(): Hearing {
    const hearing = heardUntil(start + 10_000);
    hearing.message(start + 10_000, '/topic/a', start + 10_000 + ahead - 20);
    tickOn(hearing, start + 10_000, start + 20_000);
    return hearing;
  }

  it('is the current time while messages take at most five seconds longer than the quickest', () => {
    const hearing = steady();
    hearing.message(start + 16_000, '/topic/a', start + 16_000 + ahead - 20 - 5000);
    expect(hearing.until(start + 17_000)).toBe(start + 17_000);
  });

  it('is the sending time of the newest message, by the local clock, if messages lag', () => {
    const hearing = steady();
    hearing.message(start + 18_000, '/topic/a', start + 18_000 + ahead - 20 - 5001);
    expect(hearing.until(start + 19_000)).toBe(start + 18_000 - 5001);
    hearing.message(start + 19_000, '/topic/a', start + 14_000 + ahead - 20 - 500);
    expect(hearing.until(start + 19_500)).toBe(start + 13_500);
  });

  it('is the time of the topic that lags most', () => {
    const hearing = steady();
    hearing.message(start + 20_000, '/topic/slow', start + 12_000 + ahead - 20);
    hearing.message(start + 20_100, '/topic/a', start + 20_100 + ahead - 20);
    expect(hearing.until(start + 20_200)).toBe(start + 12_000);
  });

  it('is the current time again once messages arrive promptly, or after a long silence', () => {
    const [caughtUp, quiet] = [steady(), steady()];
    for (const hearing of [caughtUp, quiet]) hearing.message(start + 20_000, '/topic/a', start + 12_000 + ahead - 20);
    caughtUp.message(start + 21_000, '/topic/a', start + 20_500 + ahead - 20);
    expect(caughtUp.until(start + 21_000)).toBe(start + 21_000);
    tickOn(quiet, start + 20_000, start + 20_000 + silence - 1000);
    expect(quiet.until(start + 44_000)).toBe(start + 12_000);
    quiet.tick(start + 20_000 + silence);
    expect(quiet.until(start + 20_000 + silence)).toBe(start + 20_000 + silence);
  });

  it('is the current time again once the lagging topic falls quiet, even if others continue', () => {
    const hearing = steady();
    hearing.message(start + 20_000, '/topic/slices', start + 12_000 + ahead - 20);
    for (let at = start + 21_000; at <= start + 20_000 + silence; at += 1000) {
      hearing.message(at, '/topic/a', at + ahead - 20);
      hearing.tick(at);
    }
    expect(hearing.until(start + 20_000 + silence)).toBe(start + 20_000 + silence);
  });

  it('does not depend on an impossible timestamp', () => {
    const hearing = steady();
    hearing.message(start + 20_000, '/topic/a', 99_999_999_999_999);
    hearing.message(start + 20_100, '/topic/a', start + 20_100 + ahead - 20);
    expect(hearing.until(start + 20_100)).toBe(start + 20_100);
  });

  it('is the current time if the broker does not say when it sent a message', () => {
    const hearing = heardUntil(start + 10_000);
    hearing.message(start + 10_000, '/topic/a');
    expect(hearing.until(start + 10_000)).toBe(start + 10_000);
  });

  it('is the start of a gap if lagging messages were lost with the connection', () => {
    const hearing = steady();
    hearing.message(start + 20_000, '/topic/a', start + 12_000 + ahead - 20);
    hearing.lost('cut', start + 21_000, start + 21_000);
    expect(hearing.back(start + 22_000)?.gap).toMatchObject({ from: iso(start + 12_000) });
  });
});
