import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * Loaded into a measured process: at its end, writes to a file how long its write transactions held the
 * lock of the store, in milliseconds. A transaction holds the lock from its beginning, so the time is
 * measured from the first line of its work to the end of its commit.
 */
type Work = (...args: unknown[]) => unknown;
type Transaction = Work & Record<'default' | 'deferred' | 'immediate' | 'exclusive', Work>;

const path = process.env['SWF_LOCK_HOLD'];
const Database = createRequire(process.argv[1] ?? '')('better-sqlite3') as {
  prototype: Record<'transaction', (this: unknown, work: Work) => Transaction>;
};
const holds: number[] = [];
const { transaction: original } = Database.prototype;

Database.prototype.transaction = function transaction(work) {
  let began = 0;
  const begun = original.call(this, (...args) => {
    began = performance.now();
    return work(...args);
  });
  const immediate: Work = (...args) => {
    began = 0;
    try {
      return begun.immediate(...args);
    } finally {
      if (began > 0) holds.push(performance.now() - began);
    }
  };
  const { default: plain, deferred, exclusive } = begun;
  return Object.assign((...args: unknown[]) => begun(...args), { default: plain, deferred, exclusive, immediate });
};

process.on('exit', () => {
  if (path === undefined) return;
  holds.sort((a, b) => a - b);
  const p99 = holds[Math.min(holds.length - 1, Math.floor(holds.length * 0.99))] ?? 0;
  writeFileSync(path, JSON.stringify({ p99, max: holds.at(-1) ?? 0 }));
});
