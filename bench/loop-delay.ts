import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * Loaded into a measured process: at its end, writes to a file how long its event loop stood still, in
 * milliseconds.
 */
const resolution = 5;
const delays = monitorEventLoopDelay({ resolution });
const path = process.env['SWF_LOOP_DELAY'];
// The time to load the program does not count.
setTimeout(() => delays.enable(), 1000).unref();
process.on('exit', () => {
  if (path === undefined) return;
  const milliseconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolution);
  writeFileSync(path, JSON.stringify({ p99: milliseconds(delays.percentile(99)), max: milliseconds(delays.max) }));
});
