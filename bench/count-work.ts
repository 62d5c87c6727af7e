import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a measured process: at its end, writes to the file `SWF_COUNTS` how many statements its main
 * thread executed and how much processor time it used, in milliseconds.
 */
type Execute = (this: unknown, ...values: unknown[]) => unknown;
interface Connection {
  prepare: (sql: string) => object;
  close: () => void;
}

const path = process.env['SWF_COUNTS'];
const Database = createRequire(process.argv[1] ?? '')('better-sqlite3') as new (file: string) => Connection;
let statements = 0;

const db = new Database(':memory:');
const prototype = Object.getPrototypeOf(db.prepare('SELECT 1')) as Record<string, Execute>;
db.close();
for (const name of ['run', 'get', 'all', 'iterate']) {
  const original = prototype[name] as Execute;
  prototype[name] = function count(...values) {
    statements += 1;
    return original.apply(this, values);
  };
}

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  if (isMainThread && path !== undefined)
    writeFileSync(path, JSON.stringify({ statements, milliseconds: (user + system) / 1000 }));
});
