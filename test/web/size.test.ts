import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

const folder = 'dist/web/';
const kilobytes = (names: readonly string[]): number =>
  names.reduce((sum, name) => sum + gzipSync(readFileSync(folder + name), { level: 9 }).length, 0) / 1000;

/** A file and all that it imports before it runs. */
function loadedBy(name: string): string[] {
  const found = new Set<string>();
  const add = (one: string): void => {
    if (found.has(one)) return;
    found.add(one);
    // Also `from"./chunk.js"`; a part that is loaded later is called: import("./part.js").
    for (const [, path = ''] of readFileSync(folder + one, 'utf8').matchAll(/(?:from|import)"(\.[^"]+\.js)"/g))
      add(new URL(path, `file:///${one}`).pathname.slice(1));
  };
  add(name);
  return [...found];
}

/** The files of this build; those of an earlier one stay beside them for a day. */
const { files: built } = JSON.parse(readFileSync('dist/build.json', 'utf8')) as { files: string[] };

const part = (name: string): string =>
  built.find((file) => file.startsWith(`${folder}app/${name}-`))?.slice(folder.length) ?? name;

describe('the code that a browser loads, compressed by gzip,', () => {
  it.each(['overview', 'execution'])('is at most 31 kB for the %s, including styles', (name) => {
    const files = new Set(['page.html', 'app.css', ...loadedBy('app.js'), ...loadedBy(part(name))]);
    expect(files.size).toBeGreaterThan(4);
    expect(kilobytes([...files])).toBeLessThanOrEqual(31);
  });

  it.each(['compare', 'shift'])('does not include the %s view until it is opened', (name) => {
    expect(loadedBy('app.js')).not.toContain(part(name));
    expect(loadedBy(part('overview'))).not.toContain(part(name));
  });

  it.each(['hosted.js', 'report.js'])('is one file of at most 60 kB for %s', (name) => {
    expect(loadedBy(name)).toEqual([name]);
    expect(kilobytes([name])).toBeLessThanOrEqual(60);
  });
});
