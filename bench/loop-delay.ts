import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** To be loaded into a process that is measured: how long its event loop stood still, in milliseconds, in a file at its end. */
const resolution = 5;
const delays = monitorEventLoopDelay({ resolution });
const path = process.env['SWF_LOOP_DELAY'];
// Loading the program is no work of it.
setTimeout(() => delays.enable(), 1000).unref();
process.on('exit', () => {
  if (path === undefined) return;
  const milliseconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolution);
  writeFileSync(path, JSON.stringify({ p99: milliseconds(delays.percentile(99)), max: milliseconds(delays.max) }));
});
