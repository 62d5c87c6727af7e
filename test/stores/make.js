// Makes a small store with a build of swf-mcp, as a later version has to upgrade it: `node
// test/stores/make.js [CLI] [RECORDING]`. It holds a run with failures, retries, notes and log lines, a
// run that was killed, and a recorded run of other programs.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync } from 'node:zlib';

import Database from 'better-sqlite3';

const [cli = 'dist/cli.js', recording = 'test/recordings/H-1/bus.jsonl.gz'] = process.argv.slice(2);
/** Its path is in the store. */
const folder = '/tmp/swf-store';
const store = join(folder, 'swf.db');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);

const words = (args) => [resolve(cli), '--db', store, ...args];
const options = { cwd: folder, encoding: 'utf8', env: { ...process.env, SWF_USER: 'tester' } };
const run = (...args) => spawnSync(process.execPath, words(args), options);
const set = (key, value) => ['--set', `${key}=${value}`];

// Slice 2 of each TF sample fails always, every fifth slice once.
writeFileSync(
  join(folder, 'recon.sh'),
  `#!/bin/sh
case "$SWF_SLICE_ID/$SWF_ATTEMPT" in 2/*) echo "no vertex" >&2; exit 3 ;; 0/1) exit 1 ;; esac
echo done > result.txt
`,
);
chmodSync(join(folder, 'recon.sh'), 0o755);
const failing = [
  ...set('worker.payload', '["./recon.sh"]'),
  ...set('worker.max_retries', 2),
  ...set('fast_processing.slices_per_sample', 4),
];
run('run', '--stf-count', '2', '--speed', 'max', ...failing);
run('note', 'latest', 'the second layer was off', '--requested-by', 'ana');
run('quality', 'latest', 'bad', '--reason', 'no vertex', '--requested-by', 'ana');

// Killed in the middle, with work in the hands of workers.
const quick = ['--speed', '20', ...set('fast_processing.slices_per_sample', 6), ...set('data.write_files', 'false')];
const killed = spawn(process.execPath, words(['run', '--stf-count', '6', ...quick]), { ...options, stdio: 'ignore' });
for (let slices = 0; slices < 10; await delay(50))
  slices = JSON.parse(run('status', 'latest', '--json').stdout || '{}').slices_completed ?? 0;
killed.kill('SIGKILL');

const { stderr } = run('observe', '--from', resolve(recording));
if (stderr.startsWith('error'))
  process.stdout.write('without a run of other programs, of which this version knows nothing\n');

const db = new Database(store);
db.pragma('wal_checkpoint(TRUNCATE)');
db.exec('VACUUM');
const version = String(db.pragma('user_version', { simple: true }));
db.pragma('journal_mode = DELETE');
db.close();
const file = `test/stores/${version}.db.br`;
const bytes = brotliCompressSync(readFileSync(store));
writeFileSync(file, bytes);
process.stdout.write(`${file}: ${bytes.length} bytes\n`);
