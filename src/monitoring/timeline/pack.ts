import type { Attempts, NameColumn } from './attempts.ts';

/**
 * The attempts of an execution as bytes, for a file that contains all of them: about two bytes each after
 * compression.
 */
export interface Packed {
  names: Record<NameColumn, string[]>;
  bytes: Uint8Array;
}

const ofEach = <T>(make: (kind: NameColumn) => T) => ({
  stf: make('stf'),
  worker: make('worker'),
  host: make('host'),
  cause: make('cause'),
});

type Column = Exclude<keyof Attempts, 'length' | 'names'>;

/**
 * The columns, each with the earlier column that its values are relative to, or null if they are relative to
 * the previous attempt. Most numbers are therefore small and similar.
 */
const countedFrom: Readonly<Record<Column, Column | null>> = {
  stf: null,
  sliceId: null,
  attempt: null,
  state: null,
  isCurrent: null,
  worker: null,
  host: null,
  cause: null,
  created: null,
  queued: 'created',
  started: 'queued',
  completed: 'started',
};

/** Packs attempts in the order of STF, slice and attempt, so that the same attempts give the same bytes. */
export function pack(attempts: Attempts): Packed {
  const { length, names } = attempts;
  // Sort by name, since numbers depend on the order in which names appeared.
  const sorted = ofEach((kind) => sortedNames(names[kind].all));
  const ranks: Partial<Record<Column, { rank: number[] }>> = sorted;
  const valueOf = (column: Column, at: number) => {
    const value = attempts[column][at] ?? NaN;
    const ranked = ranks[column];
    return ranked === undefined ? value : (ranked.rank[value] ?? -1);
  };
  const order = Array.from({ length }, (_, at) => at).toSorted(
    (a, b) =>
      valueOf('stf', a) - valueOf('stf', b) ||
      valueOf('sliceId', a) - valueOf('sliceId', b) ||
      valueOf('attempt', a) - valueOf('attempt', b),
  );
  const columns = Object.entries(countedFrom).map(([name, base]) => {
    let before = 0;
    const distances = order.map((at) => {
      const value = valueOf(name as Column, at);
      const distance = value - ((base === null ? before : valueOf(base, at)) || 0);
      before = value;
      return distance;
    });
    return [name, distances];
  });
  const bytes = new TextEncoder().encode(JSON.stringify(Object.fromEntries(columns)));
  return { names: ofEach((kind) => sorted[kind].names), bytes };
}

/** The sorted names, and the rank of each name, by the name's number. */
function sortedNames(names: readonly string[]) {
  const order = names.map((_, number) => number).toSorted((a, b) => ((names[a] ?? '') < (names[b] ?? '') ? -1 : 1));
  const rank: number[] = [];
  for (const [place, number] of order.entries()) rank[number] = place;
  return { names: order.map((number) => names[number] ?? ''), rank };
}

export function unpack({ names, bytes }: Packed): Attempts {
  // JSON has no NaN, so an unknown time is null.
  const packed = JSON.parse(new TextDecoder().decode(bytes)) as Record<Column, (number | null)[]>;
  const columns = {} as Record<Column, Float64Array>;
  for (const [name, base] of Object.entries(countedFrom)) {
    let before = 0;
    columns[name as Column] = Float64Array.from(packed[name as Column], (distance, at) => {
      before = distance === null ? NaN : distance + ((base === null ? before : (columns[base][at] as number)) || 0);
      return before;
    });
  }
  return { length: packed.stf.length, names: ofEach((kind) => ({ all: names[kind] })), ...columns };
}
