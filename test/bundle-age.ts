import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const modified = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Tests of the command line run what was built: says so where that is older than the sources. */
export default function setup(): void {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((name) => modified(join('src', name)));
  if (modified('dist/cli.js') < Math.max(...sources))
    console.warn('dist/ is older than src/, and the tests of the command line run dist/: "npm run build" renews it');
}
