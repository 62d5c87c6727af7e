import type { LeftSlice, OpenSlice } from './ports.ts';

/** An attempt fails once this many drivers were killed while it was in hand: its payload may have killed them. */
const maxKilledDrivers = 3;

/**
 * The slices that earlier processes began and did not end, in the order in which to begin them again. A slice that has seen two drivers killed begins
 * alone, so that another kill shows which slice it is and costs no other slice an attempt.
 */
export class LeftSlices {
  /** Slices whose attempt has failed. */
  readonly givenUp: readonly LeftSlice[];
  #suspects: OpenSlice[];
  #others: OpenSlice[];
  #alone: OpenSlice | undefined;

  /** @param killed how many drivers were killed while an attempt was in hand */
  constructor(left: readonly LeftSlice[], killed: (slice: OpenSlice) => number) {
    const isSuspect = (slice: LeftSlice): boolean => killed(slice) === maxKilledDrivers - 1;
    this.givenUp = left.filter((slice) => killed(slice) >= maxKilledDrivers);
    this.#suspects = left.filter(isSuspect);
    this.#others = left.filter((slice) => !isSuspect(slice) && !this.givenUp.includes(slice));
  }

  /** How many begin alone. */
  get suspects(): number {
    return this.#suspects.length;
  }

  /** The slices to begin now, at most `limit`; undefined when none is left and new slices may begin. @param isIdle whether no slice is in hand */
  next(limit: number, isIdle: boolean): OpenSlice[] | undefined {
    if (this.#alone !== undefined) return [];
    if (this.#suspects.length > 0) return isIdle ? this.#suspects.slice(0, 1) : [];
    return this.#others.length > 0 ? this.#others.slice(0, limit) : undefined;
  }

  begun(slices: readonly OpenSlice[]): void {
    this.#alone ??= this.#suspects.find((slice) => slices.includes(slice));
    this.#suspects = this.#suspects.filter((slice) => !slices.includes(slice));
    this.#others = this.#others.filter((slice) => !slices.includes(slice));
  }

  ended(slices: readonly OpenSlice[]): void {
    if (this.#alone !== undefined && slices.includes(this.#alone)) this.#alone = undefined;
  }
}
