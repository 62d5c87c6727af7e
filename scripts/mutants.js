// Makes each small change to the code of a room once and checks whether a test of the same room fails: npm
// run mutants -- ROOM…
import { spawnSync } from 'node:child_process';

/** Rooms and folders whose rules are tested in the same process. */
const rooms = [
  'domain',
  'messages',
  'monitoring',
  'observed',
  'config',
  'files',
  'http',
  'db/log',
  'db/projection',
  'db/execution',
  'db/presence',
  'db/lists',
  'recorder',
  'remote',
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((room) => !rooms.includes(room));
if (unknown.length > 0) {
  console.error(`${unknown.join(', ')}: no room with such tests; there are ${rooms.join(', ')}`);
  process.exit(1);
}
for (const room of wanted.length === 0 ? rooms : wanted) {
  const { status } = spawnSync('node_modules/.bin/stryker', ['run', 'scripts/mutants/stryker.config.js'], {
    stdio: 'inherit',
    env: { ...process.env, MUTANTS_ROOM: room },
  });
  if (status !== 0) process.exitCode = 1;
}
