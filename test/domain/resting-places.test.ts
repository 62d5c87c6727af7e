import { describe, expect, it } from 'vitest';

import { RestingPlaces, restWords } from '../../src/domain/resting-places.ts';

/** Places of which a test says what they do, in seconds. */
function made(maxRetries = 3) {
  const places = new RestingPlaces(maxRetries);
  const end = (at: number, place: string, slice: string, error?: string, attempt = 1) =>
    places.ended({ place, slice, error, attempt }, at * 1000);
  const fail = (at: number, place: string, ...slices: string[]) =>
    slices.flatMap((slice) => end(at, place, slice, 'no file'));
  const done = (at: number, place: string, ...slices: string[]) => slices.flatMap((slice) => end(at, place, slice));
  const resting = (at: number): [string, number][] =>
    places.resting(at * 1000).map(({ place, until }) => [place, until / 1000]);
  const onTrial = (at: number): string[] => places.onTrial(at * 1000).map(({ place }) => place);
  return { places, end, fail, done, resting, onTrial };
}

const many = 'abcdefghijklmnopqrst'.split('');

it.each([
  ['at its beginning', 0, 'rests until 2026-12-01T10:00:10Z'],
  ['just before its end', 9_700, 'rests until 2026-12-01T10:00:10Z'],
  ['when it is over', 10_000, 'is on trial'],
])('a rest, %s (after %i ms), is described as "%s"', (_, passed, what) => {
  const rest = { place: 'bad', until: 70_000, failures: 3, error: 'no file', isToBlame: true };
  const words = restWords(rest, 60_000 + passed, Date.parse('2026-12-01T09:59:59.600Z') + passed);
  expect(words).toBe(
    `bad ${what}: its last 3 attempts failed, and others completed the same slices; the last error: no file`,
  );
});

describe('a place whose attempts fail', () => {
  it('waits after three failures in a row, and rests once others complete those slices', () => {
    const { fail, done, resting } = made();
    done(0, 'good', ...many);
    fail(1, 'bad', 'a', 'b');
    expect(resting(1)).toEqual([]);
    fail(1, 'bad', 'c', 'd');
    expect(resting(1)).toEqual([['bad', 11]]);
    expect(done(2, 'good', 'a', 'b')).toEqual([]);
    expect(done(3, 'good', 'c')).toEqual([
      { place: 'bad', until: 13_000, failures: 4, error: 'no file', isToBlame: true },
    ]);
    expect(resting(12)).toEqual([['bad', 13]]);
    expect(resting(13)).toEqual([]);
  });

  it('rests twice as long after each further failure, up to five minutes', () => {
    const { fail, done, resting } = made();
    done(0, 'good', ...many);
    fail(1, 'bad', 'a', 'b', 'c');
    done(1, 'good', 'a', 'b', 'c');
    const rests: number[] = [];
    for (let at = 11; rests.length < 6;) {
      fail(at, 'bad', `x${at}`);
      done(at, 'good', `x${at}`);
      const until = resting(at)[0]?.[1] ?? at;
      rests.push(until - at);
      at = until;
    }
    expect(rests).toEqual([20, 40, 80, 160, 300, 300]);
    // A slice that it had in hand is done: it is free, and a failure is the first of a row.
    done(900, 'bad', 'z');
    expect(resting(900)).toEqual([]);
    fail(901, 'bad', 'y');
    expect(resting(901)).toEqual([]);
  });

  it('waits twice as long after each failed trial, up to five minutes, until one succeeds', () => {
    const { fail, done, resting, onTrial } = made();
    done(0, 'good', ...many);
    // Slots that it had begun at the same time fail too, and count once.
    fail(1, 'bad', ...many.slice(0, 16));
    expect([resting(1), onTrial(1)]).toEqual([[['bad', 11]], []]);
    const waits: number[] = [];
    for (let at = 11; waits.length < 6;) {
      expect([resting(at), onTrial(at)]).toEqual([[], ['bad']]);
      fail(at, 'bad', `x${at}`);
      const until = resting(at)[0]?.[1] ?? at;
      waits.push(until - at);
      at = until;
    }
    expect(waits).toEqual([20, 40, 80, 160, 300, 300]);
    // At last the others complete its first slices.
    expect(done(905, 'good', 'a', 'b', 'c')).toMatchObject([{ place: 'bad', until: 1_205_000, isToBlame: true }]);
    // The rest ends in a trial, whatever others do meanwhile.
    done(906, 'good', 'd', 'e', 'f', 'g');
    expect([resting(1204), onTrial(1205)]).toEqual([[['bad', 1205]], ['bad']]);
    done(1206, 'bad', 'y');
    expect([resting(1206), onTrial(1206)]).toEqual([[], []]);
  });

  it('is not on trial while no other place has succeeded, and its waits do not grow', () => {
    const { fail, resting, onTrial } = made();
    fail(0, 'slow', 'z');
    for (const at of [1, 21, 41, 61]) {
      fail(at, 'fast', ...Array.from({ length: 18 }, (_, n) => `${at}/${n}`));
      expect(resting(at)).toEqual([['fast', at + 10]]);
      expect([resting(at + 10), onTrial(at + 10)]).toEqual([[], []]);
    }
  });

  it('rests even if all its failures concern one slice', () => {
    const { fail, done, resting } = made();
    done(0, 'good', ...many);
    fail(1, 'bad', 'a', 'a', 'a');
    done(2, 'good', 'a');
    expect(resting(2)).toEqual([['bad', 12]]);
  });

  it('waits up to two minutes while nothing is known about others, and otherwise ten seconds', () => {
    const { places, fail, done, resting } = made();
    places.begun('slow');
    fail(1, 'bad', 'a', 'b', 'c');
    expect(resting(1)).toEqual([['bad', 121]]);
    done(5, 'slow', ...many.slice(10));
    expect(resting(5)).toEqual([['bad', 11]]);
    // One attempt more, and it waits again, longer.
    fail(12, 'bad', 'd');
    expect(resting(12)).toEqual([['bad', 32]]);
  });

  it('keeps working if others fail as often, or if its slices fail elsewhere too', () => {
    const often = made();
    often.done(0, 'other', 'x');
    often.fail(0, 'other', 'y', 'z');
    often.fail(1, 'one', ...many.slice(0, 9));
    expect(often.resting(1)).toEqual([]);
    const slices = made();
    slices.done(0, 'other', ...many);
    slices.fail(1, 'one', 'a', 'b', 'c');
    expect(slices.resting(1)).toHaveLength(1);
    slices.fail(2, 'other', 'a');
    slices.done(2, 'other', 'x');
    expect(slices.resting(2)).toEqual([]);
    // One slice that fails everywhere does not excuse it from many that do not.
    slices.done(3, 'other', 'b', 'c');
    slices.fail(4, 'one', 'd', 'e');
    slices.done(5, 'other', 'd', 'e');
    expect(slices.resting(5)).toEqual([['one', 15]]);
  });

  it('keeps working if slices are never retried, but otherwise waits even after a last attempt', () => {
    const alone = made(0);
    alone.done(0, 'good', ...many);
    for (const slice of 'abcd') alone.end(1, 'bad', slice, 'no file');
    expect(alone.resting(1)).toEqual([]);
    const { end, done, resting } = made();
    done(0, 'good', ...many);
    for (const slice of 'abcd') end(1, 'bad', slice, 'no file', 4);
    expect(resting(1)).toEqual([['bad', 11]]);
  });

  it('rests even if its slices also fail at other places that complete nothing', () => {
    const { fail, done, resting } = made();
    done(0, 'good', ...many);
    for (const bad of ['bad 1', 'bad 2', 'bad 3']) fail(1, bad, 'a', 'b', 'c');
    expect(resting(1).map(([name]) => name)).toEqual(['bad 1', 'bad 2', 'bad 3']);
    done(2, 'good', 'a', 'b', 'c');
    expect(resting(2)).toEqual(['bad 1', 'bad 2', 'bad 3'].map((name) => [name, 12]));
  });

  it('does not wait for a place that is gone', () => {
    const places = new RestingPlaces(3, (name) => name !== 'gone');
    for (const slice of many) places.ended({ place: 'gone', slice, error: undefined, attempt: 1 }, 0);
    for (const slice of many) places.ended({ place: 'bad', slice, error: 'no file', attempt: 1 }, 1000);
    expect(places.resting(1000)).toEqual([]);
  });

  it('stops resting once the others are gone', () => {
    let isGone = false;
    const places = new RestingPlaces(3, (name) => name !== 'good' || !isGone);
    for (const slice of many) places.ended({ place: 'bad', slice, error: 'no file', attempt: 1 }, 0);
    for (const slice of many) places.ended({ place: 'good', slice, error: undefined, attempt: 1 }, 1000);
    expect(places.resting(2000)).toMatchObject([{ place: 'bad', isToBlame: true }]);
    isGone = true;
    expect([places.resting(2000), places.onTrial(3_600_000)]).toEqual([[], []]);
  });

  it('keeps working if it is the only place, or if everything fails everywhere', () => {
    const { fail, resting } = made();
    fail(1, 'one', ...many);
    expect(resting(1)).toEqual([]);
    for (const name of ['two', 'three']) fail(2, name, ...many);
    expect(resting(2)).toEqual([]);
  });
});

describe('the places of a run', () => {
  it.each([0.3, 0.6, 0.9])('rarely rest if attempts fail at random, with a probability of %d', (rate) => {
    let seed = 1;
    const chance = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const { end, resting } = made();
    let lost = 0;
    for (let at = 0; at < 2000; at += 1)
      for (let slot = 0; slot < 16; slot += 1) {
        const name = `w/${slot}`;
        if (resting(at).some(([place]) => place === name)) lost += 1;
        else end(at, name, `s${Math.floor(chance() * 200)}`, chance() < rate ? 'chance' : undefined);
      }
    expect(lost / (2000 * 16)).toBeLessThan(0.1);
  });
});

describe('workers that share a queue', () => {
  it.each([0.1, 0.3, 0.6, 0.95])('rarely rest if a fraction of %d of the slices always fails', (rate) => {
    const workers = ['one', 'two', 'three'];
    const places = new RestingPlaces(3);
    const queue = Array.from({ length: 3000 }, (_, slice) => ({ slice, attempt: 1 }));
    let [attempts, seconds] = [0, 0];
    for (; attempts < queue.length; seconds += 1)
      for (const place of workers) {
        const isIn = (pauses: { place: string }[]): boolean => pauses.some((one) => one.place === place);
        const slots = isIn(places.resting(1000 * seconds)) ? 0 : isIn(places.onTrial(1000 * seconds)) ? 1 : 8;
        for (const { slice, attempt } of queue.slice(attempts, attempts + slots)) {
          const error = ((slice * 7919) % 1000) / 1000 < rate ? 'bad slice' : undefined;
          places.ended({ place, slice: `${slice}`, error, attempt }, 1000 * seconds);
          // A slice that failed goes to the end of the queue.
          if (error !== undefined && attempt <= 3) queue.push({ slice, attempt: attempt + 1 });
          attempts += 1;
        }
        if (seconds > 2000) throw new Error('the workers rest');
      }
    expect(attempts / (8 * workers.length * seconds)).toBeGreaterThan(0.8);
  });
});
