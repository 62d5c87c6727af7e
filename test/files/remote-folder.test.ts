import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { isRemoteFolder, noteRemoteEnd, prepareRemoteFolder, removeOldRemoteFolders } from '../../src/files/folders.ts';
import { temporaryFolder } from '../folder.ts';

const hour = 3_600_000;

describe('the files of an agent without a store', () => {
  it('are removed `hours` after a known end, or after a month, but never during the run', async () => {
    const dir = temporaryFolder();
    const make = (name: string, { hoursAgo, hasEnded }: { hoursAgo: number; hasEnded: boolean }): void => {
      prepareRemoteFolder(dir, name);
      if (hasEnded) noteRemoteEnd(dir, name);
      const at = (Date.now() - hoursAgo * hour) / 1000;
      utimesSync(join(dir, name, '.swf-mcp-remote'), at, at);
    };
    make('ended-lately', { hoursAgo: 71, hasEnded: true });
    make('ended-long-ago', { hoursAgo: 73, hasEnded: true });
    make('unheard', { hoursAgo: 700, hasEnded: false });
    make('unheard-for-months', { hoursAgo: 721, hasEnded: false });
    make('running', { hoursAgo: 5000, hasEnded: false });
    mkdirSync(join(dir, 'the-recorders-own'));
    writeFileSync(join(dir, '.swf-mcp-store'), 'id\n');
    await removeOldRemoteFolders(dir, { hours: 72, isRunning: (id) => id === 'running' });
    const left = [
      'ended-lately',
      'ended-long-ago',
      'unheard',
      'unheard-for-months',
      'running',
      'the-recorders-own',
    ].filter((name) => existsSync(join(dir, name)));
    expect(left).toEqual(['ended-lately', 'unheard', 'running', 'the-recorders-own']);
    // A running one was seen just now, and is kept from now on.
    await removeOldRemoteFolders(dir, { hours: 72, isRunning: () => false });
    expect(existsSync(join(dir, 'running'))).toBe(true);
  });

  it('are in a private folder, with a marker that shows whether the execution has ended', async () => {
    const dir = temporaryFolder();
    const folder = join(dir, 'deep', 'run');
    const marker = join(folder, '.swf-mcp-remote');
    prepareRemoteFolder(join(dir, 'deep'), 'run');
    prepareRemoteFolder(join(dir, 'deep'), 'run');
    expect([statSync(folder).mode & 0o777, statSync(marker).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(readFileSync(marker, 'utf8')).toBe('');
    noteRemoteEnd(join(dir, 'deep'), 'run');
    expect(readFileSync(marker, 'utf8')).toBe('ended\n');
    utimesSync(marker, 1, 1);
    // If the end is noted again, its time stays.
    noteRemoteEnd(join(dir, 'deep'), 'run');
    expect(statSync(marker).mtimeMs).toBe(1000);
    noteRemoteEnd(dir, 'none');
    expect([isRemoteFolder(join(dir, 'deep'), 'run'), isRemoteFolder(dir, 'deep')]).toEqual([true, false]);
    await removeOldRemoteFolders(join(dir, 'none'), { hours: 1, isRunning: () => false });
  });

  it('without a known end are kept for a month or ten times `hours`, whichever is longer', async () => {
    const dir = temporaryFolder();
    for (const [name, hoursAgo] of [
      ['younger', 999],
      ['older', 1001],
    ] as const) {
      prepareRemoteFolder(dir, name);
      const at = (Date.now() - hoursAgo * hour) / 1000;
      utimesSync(join(dir, name, '.swf-mcp-remote'), at, at);
    }
    await removeOldRemoteFolders(dir, { hours: 100, isRunning: () => false });
    expect(readdirSync(dir)).toEqual(['younger']);
  });

  it('that cannot be checked are reported, and others are still removed', async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, 'a', '.swf-mcp-remote'), { recursive: true });
    prepareRemoteFolder(dir, 'b');
    noteRemoteEnd(dir, 'b');
    utimesSync(join(dir, 'b', '.swf-mcp-remote'), 1, 1);
    await expect(removeOldRemoteFolders(dir, { hours: 1, isRunning: () => false })).rejects.toThrow('EISDIR');
    expect(readdirSync(dir)).toEqual(['a']);
  });
});
