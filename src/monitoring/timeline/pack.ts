import type { Attempts, NameColumn } from './attempts.ts';

/** The attempts of an execution as bytes, for a file with all of them: about ten bytes each before compression. */
export interface Packed {
  names: Record<NameColumn, string[]>;
  bytes: Uint8Array;
}

const ofEach = <T>(make: (kind: NameColumn) => T): Record<NameColumn, T> => ({
  stf: make('stf'),
  worker: make('worker'),
  host: make('host'),
  cause: make('cause'),
});

/** Maps signed integers to unsigned ones, small to small (zigzag), so that small steps back take one byte too. */
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

/** Writes numbers one after the other, small ones in one byte. */
class Writer {
  #bytes = new Uint8Array(65_536);
  #length = 0;

  /** @param value a whole number from 0 to 2^53 */
  whole(value: number): void {
    if (this.#length + 10 > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length] = (rest % 128) + 128;
      this.#length += 1;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  signed(value: number): void {
    this.whole(zigzag(value));
  }

  /** Writes a time as its distance from another; NaN as 0. */
  time(value: number, from: number): void {
    this.whole(Number.isNaN(value) ? 0 : 1 + zigzag(Math.round(value - from)));
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  whole(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  }

  signed(): number {
    return unzigzag(this.whole());
  }

  time(from: number): number {
    const value = this.whole();
    return value === 0 ? NaN : from + unzigzag(value - 1);
  }
}

/** Packs attempts in the order of their STFs, slices and tries, so that the same attempts give the same bytes. */
export function pack(attempts: Attempts): Packed {
  const order = Array.from({ length: attempts.length }, (_, at) => at);
  const { names } = attempts;
  // By name, since numbers depend on the order in which names were met.
  const sorted = ofEach((kind) => sortedNames(names[kind].all));
  const stfOf = (at: number): number => sorted.stf.rank[attempts.stf[at] as number] as number;
  order.sort(
    (a, b) =>
      stfOf(a) - stfOf(b) ||
      (attempts.sliceId[a] as number) - (attempts.sliceId[b] as number) ||
      (attempts.attempt[a] as number) - (attempts.attempt[b] as number),
  );
  const writer = new Writer();
  writer.whole(attempts.length);
  let [stf, sliceId, created] = [0, 0, 0];
  for (const at of order) {
    const numberIn = (column: 'worker' | 'host' | 'cause'): number => {
      const number = attempts[column][at] as number;
      return number < 0 ? 0 : (sorted[column].rank[number] as number) + 1;
    };
    writer.whole(stfOf(at) - stf);
    writer.signed((attempts.sliceId[at] as number) - sliceId);
    writer.whole(attempts.attempt[at] as number);
    writer.whole((attempts.state[at] as number) * 2 + (attempts.isCurrent[at] as number));
    for (const column of ['worker', 'host', 'cause'] as const) writer.whole(numberIn(column));
    writer.signed((attempts.created[at] as number) - created);
    const queued = attempts.queued[at] as number;
    writer.time(queued, attempts.created[at] as number);
    const started = attempts.started[at] as number;
    writer.time(started, queued);
    writer.time(attempts.completed[at] as number, Number.isNaN(started) ? queued : started);
    [stf, sliceId, created] = [stfOf(at), attempts.sliceId[at] as number, attempts.created[at] as number];
  }
  return { names: ofEach((kind) => sorted[kind].names), bytes: writer.done() };
}

/** Sorted names, and the rank of each number among them. */
function sortedNames(names: readonly string[]): { names: string[]; rank: number[] } {
  const order = names.map((_, number) => number).toSorted((a, b) => ((names[a] ?? '') < (names[b] ?? '') ? -1 : 1));
  const rank: number[] = [];
  for (const [place, number] of order.entries()) rank[number] = place;
  return { names: order.map((number) => names[number] ?? ''), rank };
}

export function unpack({ names, bytes }: Packed): Attempts {
  const reader = new Reader(bytes);
  const length = reader.whole();
  const whole = (): Int32Array => new Int32Array(length);
  const time = (): Float64Array => new Float64Array(length);
  const numbers = { sliceId: whole(), attempt: whole(), state: whole(), isCurrent: whole() };
  const times = { created: time(), queued: time(), started: time(), completed: time() };
  const columns = { ...ofEach(whole), ...numbers, ...times };
  let [stf, sliceId, created] = [0, 0, 0];
  for (let at = 0; at < length; at += 1) {
    stf += reader.whole();
    sliceId += reader.signed();
    columns.stf[at] = stf;
    columns.sliceId[at] = sliceId;
    columns.attempt[at] = reader.whole();
    const state = reader.whole();
    columns.state[at] = Math.floor(state / 2);
    columns.isCurrent[at] = state % 2;
    for (const column of ['worker', 'host', 'cause'] as const) columns[column][at] = reader.whole() - 1;
    created += reader.signed();
    const queued = reader.time(created);
    const started = reader.time(queued);
    columns.created[at] = created;
    columns.queued[at] = queued;
    columns.started[at] = started;
    columns.completed[at] = reader.time(Number.isNaN(started) ? queued : started);
  }
  return { length, names: ofEach((kind) => ({ all: names[kind] })), ...columns };
}
