import { renameSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { runCli, temporaryFolder } from '../helpers.ts';
import { isCall, isOfStf, type Line, linesOf, readLines, typeOf } from './prompt-runs.ts';

/** What `check --strict` says of some lines. */
async function gateOf(lines: readonly Line[], ...words: string[]) {
  const { folder } = await readLines(lines);
  const { code, stdout } = await runCli(['check', '--strict', ...words], { folder });
  return { code, lines: stdout.trim().split('\n') };
}

const fast = (name: 'H-1' | 'F-1'): Line[] => linesOf(name, 'bus');
const prompt = (name: 'PP-1' | 'PP-2'): Line[] =>
  [...linesOf(name, 'bus'), ...linesOf(name, 'rest')].toSorted((a, b) => (a.t < b.t ? -1 : 1));

const on = (topic: string) => (line: Line) => line['destination'] === `/topic/${topic}`;
const isSlice = (line: Line): boolean => typeOf(line) === 'slice';
const isResult = (line: Line): boolean => typeOf(line) === 'slice_result';
const isReport = (line: Line): boolean => isCall(line, 'PATCH', 'stf-files');

/** The lines without those of one STF file. */
const withoutStf = (stf: string, lines: readonly Line[]): Line[] => {
  const isOf = isOfStf(stf, lines);
  const text = stf.replace('.stf', '');
  return lines.filter((line) => !isOf(line) && !JSON.stringify(line).includes(text));
};

/** The lines without one result: the only one of its slice. */
const withoutOne = (lines: readonly Line[]): Line[] => {
  const requestOf = (line: Line): unknown => line['body'].content.requested_at;
  const results = lines.filter(isResult);
  const once = results.find((one) => results.filter((other) => requestOf(other) === requestOf(one)).length === 1);
  return lines.filter((line) => line !== once);
};

/** The lines up to the end of data taking. */
const beforeEnd = (lines: readonly Line[]): Line[] =>
  lines.slice(
    0,
    lines.findIndex((line) => typeOf(line) === 'end_run'),
  );

describe('the gate', () => {
  it.each([
    ['fast processing by the public programs', fast('H-1'), 'stf=3,tf=21,slices=218,completed=218,failed=0'],
    ['fast processing by the fork', fast('F-1'), 'stf=3,tf=21,slices=210,completed=210'],
    ['prompt processing by the public programs', prompt('PP-1'), 'stf=3,registered=3,processed=3'],
    ['prompt processing by the fork', prompt('PP-2'), 'stf=6,registered=6,processed=6,failed=0'],
  ])('passes a complete run of %s', async (_, lines, expected) => {
    expect(await gateOf(lines, '--expect', expected)).toEqual({
      code: 0,
      lines: [expect.stringMatching(/^ok .*completed and balanced: stf \d/)],
    });
  });

  it.each<[string, Line[], RegExp[]]>([
    ['the results topic of H', fast('H-1').filter((line) => !on('panda.results')(line)), [/results/, /no slice has/]],
    ['the slices topic of F', fast('F-1').filter((line) => !on('panda.slices')(line)), [/samples 0 of 21: /]],
    [
      'the broadcast topic of H',
      fast('H-1').filter((line) => !on('epictopic')(line)),
      [/stf_announced 0 of 3/, /its first messages were/],
    ],
    [
      'an STF file of H',
      withoutStf('swf.102001.000002.stf', fast('H-1')),
      [/stf_announced 2 of 3: STF files of the run/],
    ],
    ['one result of H', withoutOne(fast('H-1')), [/results 217 of 218: slices have no result: \S+_slice_/]],
    ['one result of F', withoutOne(fast('F-1')), [/results 209 of 210: slices have no result: \S+_slice_/]],
    [
      'all slices of H',
      fast('H-1').filter((line) => !isSlice(line) && !isResult(line)),
      [/samples 0 of 21: TF files were/],
    ],
    [
      'all slices of F',
      fast('F-1').filter((line) => !isSlice(line) && !isResult(line)),
      [/samples 0 of 21: TF files were/],
    ],
    ['the end of H', beforeEnd(fast('H-1')), [/its end was not reported: not heard since/]],
    ['the end of F', beforeEnd(fast('F-1')), [/its end was not reported: not heard since/]],
    ['the bus of prompt processing', linesOf('PP-1', 'rest'), [/its first messages were not received/]],
    [
      'the REST calls of prompt processing',
      linesOf('PP-1', 'bus'),
      [/processing 0 of 3: processing is not on the bus/],
    ],
    [
      'an STF file of prompt processing',
      withoutStf('swf.104001.000002.stf', prompt('PP-1')),
      [/stf_announced 2 of 3: STF files of the run/],
    ],
    [
      'the registration of an STF file',
      prompt('PP-1').filter(
        (line) => !isOfStf('swf.104001.000002.stf', prompt('PP-1'))(line) || typeOf(line) === 'stf_gen',
      ),
      [/stf_registered 2 of 3: .*: swf\.104001\.000002\.stf$/],
    ],
    [
      'the last reports about an STF file',
      prompt('PP-2').filter(
        (line) => !isReport(line) || line['body'].status !== 'processed' || line['body'].metadata.sequence !== 3,
      ),
      [/stf_processed 5 of 6: .*: swf\.104101\.000003\.stf$/],
    ],
    [
      'all reports',
      prompt('PP-1').filter((line) => !isReport(line)),
      [/stf_processed 0 of 3: /, /no STF file was processed/],
    ],
    [
      'its hand-over',
      prompt('PP-1').filter((line) => typeOf(line) !== 'stf_ready' && !isReport(line)),
      [/handed_over 0 of 1/],
    ],
    ['its end', beforeEnd(prompt('PP-1')), [/its end was not reported/]],
    [
      'the close of its data run',
      prompt('PP-1').filter((line) => !isCall(line, 'PATCH', 'runs')),
      [/run_closed 0 of 1: .*: 104001$/],
    ],
  ])('stops a run that lost %s, and says so', async (_, lines, reasons) => {
    const gate = await gateOf(lines);
    expect(gate.code).toBe(3);
    for (const reason of reasons)
      expect(gate.lines).toEqual(
        expect.arrayContaining([expect.stringMatching(new RegExp(`^fail .*${reason.source}`))]),
      );
  });

  it('stops a run with unexpected failures or counts', async () => {
    const h2 = linesOf('H-2', 'bus');
    const { code, lines } = await gateOf(h2);
    expect(code).toBe(3);
    expect(lines).toEqual([
      expect.stringMatching(/ 10 failed permanently; --expect failed=10 allows them: (\S+, ){4}\S+ and 5 more$/),
    ]);
    expect((await gateOf(h2, '--expect', 'failed=10')).code).toBe(0);
    expect((await gateOf(h2, '--expect', 'failed=9')).lines).toEqual([
      expect.stringMatching(/ failed is 10, expected 9$/),
    ]);
    expect((await gateOf(fast('H-1'), '--expect', 'stf=4,tf=21')).lines).toEqual([
      expect.stringMatching(/ stf is 3, expected 4$/),
    ]);
  });

  it('names the slices that failed permanently in one of our own runs', async () => {
    const folder = temporaryFolder();
    const failing = ['--set', 'worker.payload=["false"]', '--set', 'worker.max_retries=0'];
    await runCli(['run', '--speed', 'max', '--stf-count', '1', ...failing], { folder });
    const { code, stdout } = await runCli(['check', '--strict'], { folder });
    expect({ code, stdout }).toEqual({
      code: 3,
      stdout: expect.stringMatching(
        /failed permanently; --expect failed=\d+ allows them: (\S+_slice_\d+\S*, ){4}\S+ and/,
      ),
    });
    // So does a hand-over, without a watcher that raises alarms.
    const report = await runCli(['report', '--since', '-1h'], { folder });
    expect(report.stdout).toMatch(
      /^## Open\n- \S+ SLICES_FAILED: No slice succeeded: \d+ TF slices failed permanently\./m,
    );
  });

  it('stops a run with a gap', async () => {
    const lines = fast('H-1');
    const gap = { gap: { from: lines[100]?.t, until: lines[101]?.t, reason: 'the disk was full' } } as unknown as Line;
    expect((await gateOf([...lines.slice(0, 101), gap, ...lines.slice(101)])).lines).toEqual([
      expect.stringMatching(/ nothing could be received for .*, in 1 gap \(the disk was full\)$/),
    ]);
  });

  it('waits for the open files of an ended run, even while no observer is listening', async () => {
    const lines = prompt('PP-1');
    const { folder } = await readLines(lines.filter((line) => !isReport(line)));
    const waiting = runCli(['check', '--strict', '--wait', '600'], { folder });
    const { folder: whole } = await readLines(lines);
    expect((await runCli(['observe', '--from', join(whole, 'made.jsonl')], { folder })).code).toBe(0);
    expect(await waiting).toMatchObject({ code: 0 });
  });

  it('waits for a run that begins later, and no longer than needed', async () => {
    const folder = temporaryFolder();
    const waiting = runCli(['check', '--strict', '--wait', '600'], { folder });
    const { folder: made } = await readLines(fast('H-1'));
    renameSync(join(made, 'swf.db'), join(folder, 'swf.db'));
    expect(await waiting).toMatchObject({ code: 0 });
    const { folder: lost } = await readLines(withoutOne(fast('H-1')));
    expect((await runCli(['check', '--strict', '--wait', '600'], { folder: lost })).code).toBe(3);
  });

  it('fails if the run or store is missing, and refuses wrong usage', async () => {
    const { folder } = await readLines(fast('H-1'));
    const codeOf = async (...words: string[]) => (await runCli(['check', ...words], { folder })).code;
    expect(await codeOf('--strict', 'no-such-run')).toBe(1);
    expect(await codeOf('--strict', '--db', `${folder}/none.db`)).toBe(1);
    for (const wrong of ['slice=3', 'stf', 'stf=x', 'stf=3,stf=3', ''])
      expect([wrong, await codeOf('--strict', '--expect', wrong)]).toEqual([wrong, 2]);
    expect(await codeOf('--expect', 'stf=3')).toBe(2);
    expect(await codeOf('--wait', '5')).toBe(2);
  });
});
