import { grouped } from '../lib/grouped.ts';

/** A completed first attempt at a slice. */
export interface Service {
  /** A slot of a worker; a worker that does not name its slots. */
  slot: string;
  /** Its STF file. Slices of one file may all be long or short: files differ. */
  stf: string;
  /** When it began, as UTC in ISO 8601; empty if unknown. */
  at: string;
  /** How long the payload took, as its worker measured it. */
  seconds: number;
  /**
   * How long the slice was in hand beyond that, in seconds; undefined if unknown. Nothing in it depends on
   * the slice, so it shows how fast the machine was.
   */
  overhead: number | undefined;
}

/** A time that shows how fast a machine was. */
type Step = Pick<Service, 'seconds'>;

/** Slots whose slices take much longer than all others, the slowest first. Seconds are medians. */
export type SlowSlots = ReturnType<typeof slowSlots>;

/**
 * Slices that take longer in the last third of a run than in the first. Seconds are medians. `isMachineKnown`:
 * it is known that the machines did not become slower as a whole.
 */
export type SlowerSlices = ReturnType<typeof slowerSlices>;

/** The probability of a finding in a run whose times differ by chance alone. */
const falseAlarmRate = 0.001;

/** Fewer slices do not show how fast a slot is, or whether times grow. */
const minOfSlot = 10;
const minOfRun = 30;

/**
 * A slot is slow if its slices take this many times as long; slices are slower if the last third takes this
 * many times as long.
 */
const slotRatio = 2;
const growthRatio = 1.5;

/**
 * Slices begun about together are compared with each other, this many for each slot: a machine may slow down
 * as a whole.
 */
const roundsOfBlock = 4;

/**
 * Finds the slots that are slow by their medians, and by a rank test among slices begun at about the same
 * time.
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

/** Whether slices take longer towards the end of a run, and not only since its machines became slower. */
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
 * The probability that chance alone makes times grow as clearly: by the medians of the STF files in their
 * order, by the slices of each file, or by both. Neither test depends on the other, and both hold however
 * much files differ.
 */
function growthChance(inOrder: readonly Service[]): number {
  const files = [...grouped(inOrder, ({ stf }) => stf).values()];
  const later = new Set(files.flatMap((own) => own.slice(Math.ceil(own.length / 2))));
  const within = rankExcess(files, (one) => later.has(one));
  const between = trendOf(files.map(medianOf));
  return 3 * upperTail(Math.max(between, within, (between + within) / Math.SQRT2));
}

/** How clearly values rise in their order, in standard deviations: the test of Mann and Kendall. */
function trendOf(values: readonly number[]): number {
  const n = values.length;
  let rises = 0;
  for (const [at, value] of values.entries())
    for (const later of values.slice(at + 1)) rises += Math.sign(later - value);
  return n < 3 ? 0 : rises / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
}

/**
 * An upper bound, at least 1, of how many times as long the overhead takes at the end as at the beginning:
 * from bounds of the medians, which are wide for few slices. Undefined if no overhead is known.
 */
function machineGrowth(begin: readonly Service[], end: readonly Service[]): number | undefined {
  const [first, last] = [begin, end].map((some) =>
    some.flatMap(({ overhead }) => overhead ?? []).toSorted((a, b) => a - b),
  ) as [number[], number[]];
  const bound = (values: readonly number[], side: 1 | -1): number => {
    const share = 0.5 + (side * boundWidth) / Math.sqrt(values.length);
    return values[Math.min(values.length - 1, Math.max(0, Math.floor(share * values.length)))] ?? 0;
  };
  const low = bound(first, -1);
  return low === 0 ? undefined : Math.max(1, bound(last, 1) / low);
}

/**
 * The bounds of a median lie this far from the middle, divided by the root of the number of values: one
 * standard deviation.
 */
const boundWidth = 0.5;

/** In the order in which they were begun. */
const inOrderOf = (services: readonly Service[]) =>
  services.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));

const bySeconds = <T extends Step>(steps: readonly T[]) => steps.toSorted((a, b) => a.seconds - b.seconds);

const medianOf = (steps: readonly Step[]) => middleOf(bySeconds(steps));

/** The median of steps in the order of their times. */
function middleOf(ranked: readonly Step[]): number {
  const middle = ranked.length / 2;
  return ((ranked[Math.ceil(middle) - 1]?.seconds ?? 0) + (ranked[Math.floor(middle)]?.seconds ?? 0)) / 2;
}

/** Slices in blocks of about the same size, in the order in which they were begun. */
function blocksOf(services: readonly Service[], size: number): Service[][] {
  const inOrder = inOrderOf(services);
  const count = Math.max(1, Math.floor(inOrder.length / size));
  return Array.from({ length: count }, (_, n) =>
    inOrder.slice(Math.floor((n * inOrder.length) / count), Math.floor(((n + 1) * inOrder.length) / count)),
  );
}

/**
 * How much higher some items rank than by chance, in standard deviations: the rank sum test of Wilcoxon,
 * summed over blocks as van Elteren does. The normal distribution overstates small probabilities of few
 * items.
 */
function rankExcess<T extends Step>(blocks: readonly (readonly T[])[], isMarked: (item: T) => boolean): number {
  let [excess, variance] = [0, 0];
  for (const block of blocks) {
    const ranks = ranksOf(block);
    const marked = block.filter(isMarked).length;
    const items = block.length;
    if (marked === 0 || marked === items) continue;
    const sum = block.reduce((total, item, at) => total + (isMarked(item) ? (ranks.of[at] ?? 0) : 0), 0);
    // Small blocks count for their size.
    const weight = 1 / (items + 1);
    excess += weight * (sum - (marked * (items + 1)) / 2);
    variance += weight ** 2 * ((marked * (items - marked)) / 12) * (items + 1 - ranks.ties / (items * (items - 1)));
  }
  return variance <= 0 ? 0 : excess / Math.sqrt(variance);
}

/**
 * The rank of each item by its seconds, from 1; equal ones share their mean rank. `ties` corrects the
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
 * The probability that a standard normal variable is at least this large, by a continued fraction; 1 where it
 * is too large to matter.
 */
function upperTail(z: number): number {
  if (z < 1.5) return 1;
  let fraction = 0;
  for (let n = 60; n > 0; n -= 1) fraction = n / (z + fraction);
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI) / (z + fraction);
}
