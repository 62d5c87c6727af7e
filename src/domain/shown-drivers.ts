/** Most runs have fewer drivers. */
const maxShown = 4;

/** The last drivers of an execution, and how many earlier ones are left out. Epochs count from 1. */
export function shownDrivers<T extends { epoch: number }>(drivers: readonly T[]): { shown: T[]; omitted: number } {
  const shown = drivers.slice(-maxShown);
  return { shown, omitted: (shown.at(-1)?.epoch ?? 0) - shown.length };
}
