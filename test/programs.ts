import { spawnSync } from 'node:child_process';

/** The Debian package of each program that some tests need. */
const packages = {
  bash: 'bash',
  fish: 'fish',
  java: 'default-jre-headless',
  openssl: 'openssl',
  python3: 'python3',
  script: 'bsdutils',
  setpriv: 'util-linux',
  stty: 'coreutils',
  zsh: 'zsh',
} as const;

const reported = new Set<string>();

/** Whether a program is missing here: its tests are skipped with one line. In CI nothing may be skipped, so there it throws. */
export function isMissing(program: keyof typeof packages): boolean {
  const { status } = spawnSync('sh', ['-c', `command -v ${program}`]);
  // Only util-linux's `script` takes a command as the tests give it.
  const isThere =
    status === 0 && (program !== 'script' || spawnSync('script', ['--version']).stdout?.includes('util-linux'));
  if (isThere) return false;
  const line = `${program} is missing (Debian: ${packages[program]})`;
  if (process.env['CI'] === 'true') throw new Error(`CI needs every program: ${line}`);
  if (!reported.has(program)) console.log(`tests are skipped: ${line}`);
  reported.add(program);
  return true;
}
