import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { createMonitorReader } from '../../src/observer/monitor-reader.ts';

/** A reader whose time passes as fast as it reads. */
export function readerOf(get: (path: string) => Promise<unknown>, start = Date.now()) {
  const lines: MessageLine[] = [];
  const asked: { path: string; at: number }[] = [];
  const [said, reads] = [[] as string[], [] as { execution_id: string; run_id: string; at: number }[]];
  let now = start;
  const reader = createMonitorReader({
    get: (path) => {
      asked.push({ path, at: now });
      return get(path);
    },
    namespaces: [],
    take: (line) => lines.push(line),
    onRead: (run, at) => reads.push({ ...run, at }),
    say: (line) => said.push(line),
    now: () => now,
  });
  /** Lets this many seconds pass. */
  const pass = async (seconds: number): Promise<void> => {
    const end = now + seconds * 1000;
    const stop = new AbortController();
    await reader.read(stop.signal, (milliseconds) => {
      now += milliseconds;
      if (now >= end) stop.abort();
      return Promise.resolve();
    });
  };
  return { reader, lines, asked, said, reads, pass };
}
