import { describe, expect, it } from 'vitest';

import { Hearing } from '../../src/observed/hearing.ts';

const silence = 25_000;
const start = 1_000_000;
const iso = (at: number): string => new Date(at).toISOString();

/** Hears from `start` on, with a tick each second until a moment. */
function heardUntil(end: number): Hearing {
  const hearing = new Hearing(silence, start);
  hearing.back(start);
  for (let now = start + 1000; now <= end; now += 1000) hearing.tick(now);
  return hearing;
}

const gapOf = (hearing: Hearing, back: number): unknown => {
  hearing.lost('cut');
  return hearing.back(back)?.gap;
};

describe('a gap', () => {
  it('lasts until the first session, since until then nothing can be heard', () => {
    const hearing = new Hearing(silence, start);
    hearing.lost('refused');
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
    expect(gapOf(heardUntil(lost), lost + 5000)).toEqual({
      from: iso(lost - silence),
      until: iso(lost + 5000),
      reason: 'cut',
    });
  });

  it('begins with the last message, if that is later', () => {
    const lost = start + 60_000;
    const hearing = heardUntil(lost);
    hearing.message(lost - 3000);
    expect(gapOf(hearing, lost + 1)).toMatchObject({ from: iso(lost - 3000) });
  });

  it('begins with the start of the observer, if that is later', () => {
    expect(gapOf(heardUntil(start + 2000), start + 9000)).toMatchObject({ from: iso(start) });
  });

  it('begins with the first of several failures, and ends with the next session', () => {
    const lost = start + 60_000;
    const hearing = heardUntil(lost);
    hearing.lost('cut');
    hearing.lost('refused');
    expect(hearing.back(lost + 40_000)?.gap).toMatchObject({ from: iso(lost - silence), reason: 'cut' });
    expect(hearing.back(lost + 50_000)).toBeUndefined();
  });

  it.each([
    ['before the tick that sees it', 0],
    ['after that tick', 2000],
  ])('begins before a standstill of the process if the loss shows at its end, %s', (_, later) => {
    const stopped = start + 60_000;
    const hearing = heardUntil(stopped);
    const awake = stopped + 60_000;
    if (later > 0) hearing.tick(awake);
    expect(gapOf(hearing, awake + later + 1000)).toMatchObject({ from: iso(stopped - silence) });
  });

  it('ignores a standstill that the connection has survived', () => {
    const stopped = start + 60_000;
    const hearing = heardUntil(stopped);
    const awake = stopped + 10_000;
    for (let now = awake; now <= awake + 100_000; now += 1000) hearing.tick(now);
    const lost = awake + 100_000;
    expect(gapOf(hearing, lost + 1)).toMatchObject({ from: iso(lost - silence) });
  });

  it('begins before a standstill, though messages arrive after it that had been waiting', () => {
    const stopped = start + 60_000;
    const hearing = heardUntil(stopped);
    const awake = stopped + 60_000;
    hearing.message(awake);
    hearing.tick(awake + 1);
    hearing.message(awake + 2);
    expect(gapOf(hearing, awake + 1000)).toMatchObject({ from: iso(stopped - silence) });
  });

  it('begins with the last message again, once the connection has survived a standstill', () => {
    const stopped = start + 60_000;
    const hearing = heardUntil(stopped);
    const awake = stopped + 10_000;
    for (let now = awake; now <= awake + silence; now += 1000) hearing.tick(now);
    hearing.message(awake + silence + 500);
    expect(gapOf(hearing, awake + silence + 900)).toMatchObject({ from: iso(awake + silence + 500) });
  });
});
