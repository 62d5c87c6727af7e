import { describe, expect, it } from 'vitest';

import { RestingPlaces } from '../../src/domain/resting-places.ts';

/** Places of which a test says what they do, in seconds. */
function made() {
  const places = new RestingPlaces();
  const end = (at: number, place: string, slice: string, error?: string) =>
    places.ended({ place, slice, error }, at * 1000);
  const fail = (at: number, place: string, ...slices: string[]) => {
    for (const slice of slices) {
      places.begun(place, slice);
      end(at, place, slice, 'no file');
    }
  };
  const done = (at: number, place: string, ...slices: string[]) =>
    slices.flatMap((slice) => {
      places.begun(place, slice);
      return end(at, place, slice);
    });
  const resting = (at: number): [string, number][] =>
    places.resting(at * 1000).map(({ place, until }) => [place, until / 1000]);
  return { places, end, fail, done, resting };
}

describe('a place whose attempts fail', () => {
  it('rests once others have completed three slices that failed there', () => {
    const { fail, done, resting } = made();
    fail(1, 'bad', 'a', 'b', 'c', 'd');
    done(2, 'good', 'a', 'b', 'x', 'y');
    expect(resting(2)).toEqual([]);
    expect(done(3, 'good', 'c')).toEqual([
      { place: 'bad', until: 13_000, failures: 4, error: 'no file', isToBlame: true },
    ]);
    expect(resting(3)).toEqual([['bad', 13]]);
    expect(resting(13)).toEqual([]);
  });

  it('rests twice as long each time, at most five minutes, until an attempt succeeds there', () => {
    const { fail, done, resting } = made();
    const rests: number[] = [];
    const restFrom = (at: number): number => {
      const slices = ['a', 'b', 'c'].map((name) => `${name}${at}`);
      fail(at, 'bad', ...slices);
      done(at, 'good', ...slices);
      return resting(at)[0]?.[1] ?? at;
    };
    for (let at = 0; rests.length < 7;) {
      const until = restFrom(at);
      rests.push(until - at);
      at = until;
    }
    expect(rests).toEqual([10, 20, 40, 80, 160, 300, 300]);
    done(5000, 'bad', 'z');
    expect(restFrom(5000)).toBe(5010);
  });

  it('waits after three failures in a row while others have work in hand and have not failed', () => {
    const { places, end, fail, resting } = made();
    places.begun('slow', 'x');
    fail(1, 'bad', 'a', 'b');
    expect(resting(1)).toEqual([]);
    fail(1, 'bad', 'c');
    expect(resting(1)).toEqual([['bad', 301]]);
    expect(resting(301)).toEqual([]);
    end(2, 'slow', 'x', 'no file');
    expect(resting(2)).toEqual([]);
  });

  it('goes on if its slices fail elsewhere too, where others succeed', () => {
    const { places, fail, done, resting } = made();
    done(0, 'good', 'x');
    places.begun('good', 'y');
    fail(1, 'bad', 'a', 'b', 'c');
    expect(resting(1)).toHaveLength(1);
    fail(2, 'good', 'a');
    done(2, 'good', 'y');
    expect(resting(2)).toEqual([]);
    // One slice that fails everywhere does not excuse it from many that do not.
    fail(3, 'bad', 'd', 'e');
    done(4, 'good', 'b', 'c', 'd', 'e');
    expect(resting(4)).toEqual([['bad', 14]]);
  });

  it('is not excused by a place where nothing succeeds', () => {
    const { places, fail, done, resting } = made();
    places.begun('good', 'x');
    for (const bad of ['bad 1', 'bad 2', 'bad 3']) fail(1, bad, 'a', 'b', 'c');
    expect(resting(1).map(([name]) => name)).toEqual(['bad 1', 'bad 2', 'bad 3']);
    done(2, 'good', 'a', 'b', 'c');
    expect(resting(2)).toEqual(['bad 1', 'bad 2', 'bad 3'].map((name) => [name, 12]));
  });

  it('goes on if it is the only one, or where everything fails everywhere', () => {
    const { places, fail, resting } = made();
    const slices = 'abcdefgh'.split('');
    fail(1, 'one', ...slices);
    expect(resting(1)).toEqual([]);
    for (const name of ['two', 'three']) fail(2, name, ...slices);
    for (const name of ['one', 'two', 'three']) places.begun(name, 'i');
    expect(resting(2)).toEqual([]);
  });
});
