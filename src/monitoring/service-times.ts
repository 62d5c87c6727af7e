import { grouped } from '../lib/grouped.ts';

/** A completed first attempt at a slice. */
export interface Service {
  /** A slot of a worker, or a worker that does not name its slots. */
  slot: string;
  /** The STF file of the slice. Files differ: all slices of a file may be long, or all may be short. */
  stf: string;
  /** When the attempt began, ISO 8601 in UTC; empty if unknown. */
  at: string;
  /** The duration of the payload, as measured by the worker. */
  seconds: number;
  /**
   * How much longer the slice was in hand than its payload took, in seconds; undefined if unknown. This extra
   * time does not depend on the slice, so it shows how fast the machine was.
   */
  overhead: number | undefined;
}

/** A duration that shows how fast a machine was. */
type Step = Pick<Service, 'seconds'>;

/** Slots whose slices take much longer than the slices of all other slots, slowest first. Seconds are medians. */
export type SlowSlots = ReturnType<typeof slowSlots>;

/**
 * Slices that take longer in the last third of a run than in the first. Seconds are medians.
 * `isMachineKnown`: the overhead shows that the machines themselves did not become slower.
 */
export type SlowerSlices = ReturnType<typeof slowerSlices>;

/** The probability of a finding in a run whose times differ only by chance. */
const falseAlarmRate = 0.001;

/** With fewer slices, it is unknown how fast a slot is, or whether times grow. */
const minOfSlot = 10;
const minOfRun = 30;

/** The factors above which a slot's slices, and the slices in the last third of a run, count as slow. */
const slotRatio = 2;
const growthRatio = 1.5;

/**
 * Number of slices per slot in a block. Slices are compared only within a block, since a machine may slow
 * down over time.
 */
const roundsOfBlock = 4;

/**
 * Finds the slots that are slow according to both their medians and a rank test among slices that began at
 * about the same time.
 */
export function slowSlots(services: readonly Service[]) {
  const ranked = bySeconds(services);
  const bySlot = grouped(ranked, ({ slot }) => slot);
  if (bySlot.size < 2) return undefined;
  const tested = [...bySlot].filter(([, own]) => own.length >= minOfSlot);
  const slower = tested.flatMap(([slot, own]) => {
    const seconds = middleOf(own);
    const others = middleOf(ranked.filter((one) => one.slot !== slot));
    return seconds < slotRatio * others || seconds === 0 ? [] : [{ slot, seconds, slices: own.length }];
  });
  if (slower.length === 0) return undefined;
  const blocks = blocksOf(services, roundsOfBlock * bySlot.size);
  const chanceOf = (name: string) => tested.length * upperTail(rankExcess(blocks, ({ slot }) => slot === name));
  const slots = slower.filter(({ slot }) => chanceOf(slot) < falseAlarmRate);
  if (slots.length === 0) return undefined;
  const names = new Set(slots.map(({ slot }) => slot));
  const others_seconds = middleOf(ranked.filter(({ slot }) => !names.has(slot)));
  return { slots: slots.toSorted((a, b) => b.seconds - a.seconds), others_seconds };
}

/** Whether slices take longer toward the end of a run for a reason other than slower machines. */
export function slowerSlices(services: readonly Service[]) {
  if (services.length < minOfRun) return undefined;
  const inOrder = inOrderOf(services);
  const third = Math.floor(inOrder.length / 3);
  const begin = inOrder.slice(0, third);
  const end = inOrder.slice(-third);
  const first = medianOf(begin);
  const last = medianOf(end);
  if (first === 0 || last / first < growthRatio) return undefined;
  const growth = machineGrowth(begin, end);
  if (last / first < growthRatio * (growth ?? 1) || growthChance(inOrder) >= falseAlarmRate) return undefined;
  return { first_seconds: first, last_seconds: last, isMachineKnown: growth !== undefined };
}

/**
 * The probability that times grow this clearly by chance alone: from one STF file to the next (the order of
 * their medians), within files (the order of their slices), or both. The two tests are independent, and both
 * are valid however much the files differ.
 */
function growthChance(inOrder: readonly Service[]) {
  const files = [...grouped(inOrder, ({ stf }) => stf).values()];
  const later = new Set(files.flatMap((own) => own.slice(Math.ceil(own.length / 2))));
  const within = rankExcess(files, (one) => later.has(one));
  const between = trendOf(files.map(medianOf));
  return 3 * upperTail(Math.max(between, within, (between + within) / Math.SQRT2));
}

/** How clearly a series of values rises, in standard deviations: the Mann–Kendall test. */
function trendOf(values: readonly number[]) {
  const n = values.length;
  let rises = 0;
  for (const [at, value] of values.entries())
    for (const later of values.slice(at + 1)) rises += Math.sign(later - value);
  return n < 3 ? 0 : rises / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
}

/**
 * An upper bound, at least 1, on the factor by which the overhead grew from the beginning to the end of the
 * run. It is computed from bounds of the medians, which are wide for few slices. Undefined if no overhead is
 * known.
 */
function machineGrowth(begin: readonly Service[], end: readonly Service[]) {
  const [first, last] = [begin, end].map((some) =>
    some.flatMap(({ overhead }) => overhead ?? []).toSorted((a, b) => a - b),
  ) as [number[], number[]];
  const bound = (values: readonly number[], side: 1 | -1) => {
    const share = 0.5 + (side * boundWidth) / Math.sqrt(values.length);
    return values[Math.min(values.length - 1, Math.max(0, Math.floor(share * values.length)))] ?? 0;
  };
  const low = bound(first, -1);
  return low === 0 ? undefined : Math.max(1, bound(last, 1) / low);
}

/**
 * For n values, the bounds of a median are `boundWidth` · √n ranks from the middle: one standard deviation.
 */
const boundWidth = 0.5;

/** Services in the order in which they began. */
const inOrderOf = (services: readonly Service[]) =>
  services.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));

const bySeconds = <T extends Step>(steps: readonly T[]) => steps.toSorted((a, b) => a.seconds - b.seconds);

const medianOf = (steps: readonly Step[]) => middleOf(bySeconds(steps));

/** The median of steps that are ordered by duration. */
function middleOf(ranked: readonly Step[]) {
  const middle = ranked.length / 2;
  return ((ranked[Math.ceil(middle) - 1]?.seconds ?? 0) + (ranked[Math.floor(middle)]?.seconds ?? 0)) / 2;
}

/** Slices in the order in which they began, divided into blocks of about the same size. */
function blocksOf(services: readonly Service[], size: number) {
  const inOrder = inOrderOf(services);
  const count = Math.max(1, Math.floor(inOrder.length / size));
  return Array.from({ length: count }, (_, n) =>
    inOrder.slice(Math.floor((n * inOrder.length) / count), Math.floor(((n + 1) * inOrder.length) / count)),
  );
}

/**
 * How much higher some items rank than chance would explain, in standard deviations: the Wilcoxon rank-sum
 * test, summed over blocks (van Elteren). For few items, the normal distribution overstates small
 * probabilities.
 */
function rankExcess<T extends Step>(blocks: readonly (readonly T[])[], isMarked: (item: T) => boolean) {
  let [excess, variance] = [0, 0];
  for (const block of blocks) {
    const ranks = ranksOf(block);
    const marked = block.filter(isMarked).length;
    const items = block.length;
    if (marked === 0 || marked === items) continue;
    const sum = block.reduce((total, item, at) => total + (isMarked(item) ? (ranks.of[at] ?? 0) : 0), 0);
    // Weight each block according to its size.
    const weight = 1 / (items + 1);
    excess += weight * (sum - (marked * (items + 1)) / 2);
    variance += weight ** 2 * ((marked * (items - marked)) / 12) * (items + 1 - ranks.ties / (items * (items - 1)));
  }
  return variance <= 0 ? 0 : excess / Math.sqrt(variance);
}

/**
 * The rank of each item by its seconds, from 1; equal items share their mean rank. `ties` corrects the
 * variance.
 */
function ranksOf(items: readonly Step[]): { of: Float64Array; ties: number } {
  const order = items.map((_, at) => at).toSorted((a, b) => (items[a]?.seconds ?? 0) - (items[b]?.seconds ?? 0));
  const of = new Float64Array(items.length);
  let ties = 0;
  for (let from = 0; from < order.length;) {
    let until = from + 1;
    while (until < order.length && items[order[until] ?? 0]?.seconds === items[order[from] ?? 0]?.seconds) until += 1;
    for (const at of order.slice(from, until)) of[at] = (from + 1 + until) / 2;
    ties += (until - from) ** 3 - (until - from);
    from = until;
  }
  return { of, ties };
}

/**
 * The probability that a standard normal variable is at least this large, computed as a continued fraction; 1
 * if the probability is too large to matter.
 */
function upperTail(z: number) {
  if (z < 1.5) return 1;
  let fraction = 0;
  for (let n = 60; n > 0; n -= 1) fraction = n / (z + fraction);
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI) / (z + fraction);
}
