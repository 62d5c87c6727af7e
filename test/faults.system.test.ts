import { describe, expect, it } from 'vitest';

import { startCli } from '../faults/cli.ts';
import { disorderly } from '../faults/deliveries.ts';
import { fillDisk, mayMount } from '../faults/disk.ts';
import { crowd } from '../faults/http-clients.ts';
import { killAndResume, runSettings, undisturbed } from '../faults/kill.ts';
import { removeLog } from '../faults/log-removed.ts';
import { faultyPayload } from '../faults/payload.ts';
import { pipesForFiles } from '../faults/pipes.ts';
import { killCommands, undisturbedPair } from '../faults/whole-command-line.ts';
import { temporaryFolder } from './folder.ts';
import { rounds } from './rounds.ts';

// `npm run faults` makes many more rounds of the same; a seed that fails there can be repeated by its number.
const unharmed = { lost: [], added: [] };
const seeds = (many: number): number[] => Array.from({ length: rounds(many) }, (_, index) => index + 1);

describe('a run of 20 STFs', () => {
  it('loses nothing and does nothing twice if killed at random moments and resumed, 20 times', async () => {
    const expected = await undisturbed();
    let kills = 0;
    for (const seed of seeds(20)) {
      const injury = await killAndResume(seed, expected);
      expect(injury).toMatchObject({ seed, ...unharmed, twice: [] });
      kills += injury.kills;
    }
    expect(kills).toBeGreaterThan(rounds(10) - 1);
  });

  it('ends like an undisturbed one if its payloads fail and it is killed and resumed', async () => {
    const payload = faultyPayload(1);
    const expected = await undisturbed(payload);
    expect(expected['slices']?.some((line) => line.endsWith(' failed 3'))).toBe(true);
    expect(await killAndResume(3, expected, payload)).toMatchObject({ ...unharmed, twice: [] });
  });

  it('has the same result if its messages are delivered twice, late and out of order', async () => {
    const folder = temporaryFolder();
    await startCli(folder, ['run', '--speed', 'max', ...runSettings, ...faultyPayload(2)]).ended;
    for (const seed of seeds(20)) {
      const disorder = await disorderly(seed, folder);
      expect(disorder).toMatchObject({ seed, ...unharmed });
      expect(disorder.late).toBeGreaterThan(100);
      expect(disorder.repeated).toBeGreaterThan(100);
    }
  });
});

describe('swf-mcp', () => {
  it('loses nothing if the write-ahead log is removed during a run', async () => {
    expect(await removeLog(3, await undisturbed())).toMatchObject({ ...unharmed, twice: [] });
  });

  it('is not blocked by pipes in place of data files', async () => {
    expect(await pipesForFiles(1)).toMatchObject(unharmed);
  });

  it('answers one client correctly among many that misbehave', async () => {
    const folder = temporaryFolder();
    await startCli(folder, ['run', '--speed', 'max', '--stf-count', '20']).ended;
    expect(await crowd(1, folder)).toMatchObject(unharmed);
  });

  it('is unharmed if every command is killed again and again', async () => {
    const expected = await undisturbedPair();
    for (const seed of seeds(3))
      expect(await killCommands(seed, expected)).toMatchObject({ seed, ...unharmed, twice: [] });
  });
});

const isRoot = mayMount();
if (!isRoot) console.log('a full disk is not tried: mounting a small one needs root');

describe.skipIf(!isRoot && process.env['CI'] !== 'true')('a run on a disk that becomes full', () => {
  it('ends with one line, can be resumed when there is room, and loses nothing', async () => {
    const { full, said, ...rest } = await fillDisk(1, await undisturbed());
    expect(rest).toMatchObject({ ...unharmed, twice: [] });
    expect(full).toBeGreaterThan(2);
    for (const line of said) expect(line).toMatch(/free some.* resume/);
  });
});
