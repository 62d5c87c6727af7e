import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { noteRemoteEnd, prepareRemoteFolder, removeOldRemoteFolders } from '../../src/files/remote-folder.ts';
import { temporaryFolder } from '../folder.ts';

const hour = 3_600_000;

describe('the files of an agent without a store', () => {
  it('go when they were kept long enough after the end, much later where nobody has heard of one, and never of others', async () => {
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
    // One that runs was seen just now, and is kept from now on.
    await removeOldRemoteFolders(dir, { hours: 72, isRunning: () => false });
    expect(existsSync(join(dir, 'running'))).toBe(true);
  });
});
