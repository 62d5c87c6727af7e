import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { isSamePayload, payloadNameOf, readPayload } from '../../src/payload/payload-name.ts';
import { temporaryFolder } from '../folder.ts';

/** A host with its own payload. */
function host(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

const named = (command: string[], path = '') => payloadNameOf(command, { name: undefined, path });

describe('a payload', () => {
  const files = { 'recon.sh': '#!/bin/sh\nexit 0\n', 'geometry.xml': '<a/>', 'bin/recon': 'one' };
  const [a, b] = [host(files), host(files)];
  const command = (folder: string): string[] => [
    join(folder, 'recon.sh'),
    `--geometry=${join(folder, 'geometry.xml')}`,
    '{tf_path}',
    '--events=10',
  ];

  it('is the same if the same files are in another folder', () => {
    expect(named(command(b))).toEqual(named(command(a)));
    expect(isSamePayload(named(command(a)), named(command(b)))).toBe(true);
  });

  it.each([
    ['its program', { ...files, 'recon.sh': '#!/bin/sh\nexit 1\n' }],
    ['a file that one of its options names', { ...files, 'geometry.xml': '<b/>' }],
  ])('differs if %s has other content under the same name', (_, other) => {
    expect(isSamePayload(named(command(a)), named(command(host(other))))).toBe(false);
  });

  it('differs if it has a different argument', () => {
    const other = command(a).map((word) => word.replace('10', '11'));
    expect(isSamePayload(named(command(a)), named(other))).toBe(false);
  });

  it('without a path is identified by the file found in PATH', () => {
    const path = (folder: string): string => `/nowhere:${join(folder, 'bin')}`;
    expect(named(['recon', '{tf_path}'], path(a))).toEqual(named(['recon', '{tf_path}'], path(b)));
    const other = host({ 'bin/recon': 'two' });
    expect(named(['recon', '{tf_path}'], path(other))).not.toEqual(named(['recon', '{tf_path}'], path(a)));
  });

  it('differs after one of its files has been changed in place', () => {
    const before = named(command(a));
    writeFileSync(join(a, 'geometry.xml'), '<changed/>');
    expect(named(command(a))).not.toEqual(before);
  });

  it('may have an argument that looks like a path but is too long for one', async () => {
    const words = [join(a, 'recon.sh'), `/${'x'.repeat(5000)}`];
    await expect(readPayload(words, '')).resolves.toBeUndefined();
    expect(named(words)).not.toEqual(named(command(a)));
  });

  it('is identified by its name alone if no digest is given', () => {
    expect(isSamePayload({ name: 'recon.sh' }, named(command(a)))).toBe(true);
    expect(isSamePayload({ name: 'other.sh' }, named(command(a)))).toBe(false);
  });
});
