import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

/** Nobody: a user who owns nothing. Tests run as root, who may do everything. */
const nobody = 65_534;

/** Whether commands can be run as another user here. */
export const hasOtherUser: boolean =
  spawnSync('setpriv', ['--reuid', String(nobody), '--clear-groups', 'true']).status === 0;

if (!hasOtherUser) console.log("rights are not tried: running as another user needs root and util-linux's setpriv");

/** A folder that everybody may look into, with the built command line in it. */
export function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'swf-mcp-open-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  // Where the tests are may be closed to others.
  for (const part of ['dist', 'workflows', 'package.json']) cpSync(part, join(folder, part), { recursive: true });
  for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path']) {
    const from = join('node_modules', name);
    if (existsSync(from))
      cpSync(from, join(folder, from), { recursive: true, filter: (path) => !/better-sqlite3\/(deps|src)/.test(path) });
  }
  return folder;
}

/** Gives a file or folder to the other user. */
export const giveAway = (path: string): void => chownSync(path, nobody, nobody);

/** Runs the command line in an open folder as the other user. */
export function runAsOther(folder: string, args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    'setpriv',
    [
      '--reuid',
      String(nobody),
      '--regid',
      String(nobody),
      '--clear-groups',
      process.execPath,
      join(folder, 'dist/cli.js'),
      ...args,
    ],
    { cwd: folder, encoding: 'utf8', env: { PATH: process.env['PATH'], SWF_USER: 'other', HOME: '/' } },
  );
  return { code: status, stdout, stderr };
}
