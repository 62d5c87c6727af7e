/** Starts to measure wall time by a clock that nobody sets. Returns a function that gives the seconds since. */
export function startStopwatch(): () => number {
  const since = performance.now();
  return () => (performance.now() - since) / 1000;
}
