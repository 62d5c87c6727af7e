import { describe, expect, it } from 'vitest';

import { countNames, countsIn } from '../../src/domain/counts.ts';
import { sampleNumber, sliceFilename, stfFilename, tfFilename } from '../../src/domain/file-names.ts';
import { evenPart, exactOrUndefined, floorOfProduct } from '../../src/domain/fractions.ts';
import { configNamePattern, executionIdPattern, fileNamePattern, namePattern } from '../../src/domain/names.ts';
import { executionParamsSchema, workflowParamsOf, payloadSpecOf } from '../../src/domain/params.ts';
import { shownCommand, shownSetting } from '../../src/domain/shown.ts';
import { countsAttempts, isSpan, spanName, summarized } from '../../src/domain/summary-words.ts';

describe('names', () => {
  it.each([
    ['torre2', true, true, true],
    ['_a.b-c', true, true, true],
    ['a'.repeat(64), true, true, true],
    ['a'.repeat(65), false, true, true],
    ['-a', false, false, true],
    ['.a', false, false, false],
    ['a/b', false, false, false],
    ['a b', false, false, false],
    ['', false, false, false],
    ['a\n', false, false, false],
    [' a', false, false, false],
  ])('%j is a name: %s, the id of an execution: %s, a file: %s', (text, isName, isId, isFile) => {
    expect(namePattern.test(text)).toBe(isName);
    expect(executionIdPattern.test(text)).toBe(isId);
    expect(configNamePattern.test(text)).toBe(isId);
    expect(fileNamePattern.test(text)).toBe(isFile);
  });
});

describe('file names', () => {
  it('contain run, sequence, sample and slice', () => {
    const stf = stfFilename(101_993, 7);
    expect(stf).toBe('swf.101993.000007.stf');
    expect(tfFilename(stf, 2)).toBe('swf.101993.000007_tf_002.tf');
    expect(sliceFilename(stf, 0)).toBe('swf.101993.000007_slice_000.tf');
    expect(sliceFilename('a.stf.x', 1234)).toBe('a.stf.x_slice_1234');
    expect(sliceFilename('swf.1.000007_tf_002.tf', 4)).toBe('swf.1.000007_tf_002_slice_004.tf');
  });

  it.each([
    ['swf.1.000001_tf_002.tf', 2],
    ['swf.1.000001_tf_1002.tf', 1002],
    ['swf.1.000001_tf_02.tf', undefined],
    ['swf.1.000001_tf_002.tf.gz', undefined],
    ['swf.1.000001_slice_002.tf', undefined],
  ])('%s belongs to sample %s', (name, sample) => {
    expect(sampleNumber(name)).toBe(sample);
  });
});

describe('exact fractions', () => {
  it.each([
    [100, 0.29, 29],
    [3, 1e-7, 0],
    [10_000_000, 1e-7, 1],
    [2, 1e21, 2e21],
    [7, 0, 0],
    [7, 1, 7],
    [5, 2.5, 12],
  ])('the whole part of %d times %d is %d', (n, value, floor) => {
    expect(floorOfProduct(n, value)).toBe(floor);
  });

  it('split a whole into nearly equal parts, the larger ones first', () => {
    expect([0, 1, 2].map((index) => evenPart(8, 3, index))).toEqual([
      { start: 0, size: 3 },
      { start: 3, size: 3 },
      { start: 6, size: 2 },
    ]);
  });

  it('are undefined beyond the largest exact integer', () => {
    expect(exactOrUndefined(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
    expect(exactOrUndefined(Number.MAX_SAFE_INTEGER + 1)).toBeUndefined();
  });
});

describe('the displayed form', () => {
  it.each([
    [['/opt/recon'], 'recon'],
    [['recon'], 'recon'],
    [['/opt/recon', '--password=x'], 'recon with 1 argument'],
    [['/opt/recon', 'a', 'b'], 'recon with 2 arguments'],
    [[], ''],
  ])('of the payload command %j is %s', (command, shown) => {
    expect(shownCommand(command)).toBe(shown);
  });

  it.each([
    ['/home/me/data', '…/data'],
    ['plain', 'plain'],
    [['/opt/recon', 'a'], 'recon with 1 argument'],
    [[1, 2], '[1,2]'],
    [['a', 1], '["a",1]'],
    [5, '5'],
    [undefined, ''],
  ])('of the setting %j is %s', (value, shown) => {
    expect(shownSetting(value)).toBe(shown);
  });
});

describe('parameters', () => {
  it('define the payload: a program with a time limit, or the placeholder with a duration', () => {
    const params = executionParamsSchema.parse({ fast_processing: { slice_processing_time: 7 } });
    expect(payloadSpecOf(params)).toEqual({ kind: 'placeholder', seconds: 7 });
    const worker = { ...params.worker, payload: ['recon', '-x'], timeout_seconds: 9 };
    expect(payloadSpecOf({ ...params, worker })).toEqual({
      kind: 'command',
      command: ['recon', '-x'],
      limit_seconds: 9,
    });
  });

  it('are broadcast without paths or commands', () => {
    const params = executionParamsSchema.parse({ worker: { payload: ['/secret'] } });
    expect(Object.keys(workflowParamsOf(params))).toEqual([
      'workflow',
      'fast_processing',
      'fastmon',
      'daq_state_machine',
      'speed',
    ]);
    expect(params).toMatchObject({ plan_version: 1, speed: 1 });
    expect(executionParamsSchema.safeParse({ speed: 0 }).success).toBe(false);
    expect(executionParamsSchema.safeParse({ speed: 0.001 }).success).toBe(true);
    expect(executionParamsSchema.safeParse({ speed: 1e6 + 1 }).success).toBe(false);
    expect(executionParamsSchema.safeParse({ speed: 'max' }).success).toBe(true);
    expect(executionParamsSchema.safeParse({ plan_version: 2 }).success).toBe(false);
  });
});

describe('summaries', () => {
  it('exist for five kinds of rows', () => {
    expect(summarized).toEqual(['slices', 'stf_files', 'messages', 'logs', 'executions']);
  });

  it.each([
    [['status'], false],
    [['stf_filename', 'minute'], false],
    [['cause'], true],
    [['status', 'worker'], true],
    [['host'], true],
    [['attempt'], true],
  ] as const)('by %j count attempts: %s', (keys, counts) => {
    expect(countsAttempts(keys)).toBe(counts);
  });

  it('name a span of time by its start', () => {
    const time = Date.parse('2026-11-27T09:12:00Z');
    expect(spanName('minute', time / 60_000)).toBe('2026-11-27T09:12Z');
    expect(spanName('hour', Math.floor(time / 3_600_000))).toBe('2026-11-27T09:00Z');
    expect(spanName('day', Math.floor(time / 86_400_000))).toBe('2026-11-27');
    expect(['minute', 'hour', 'day', 'week', 'toString'].map(isSpan)).toEqual([true, true, true, false, false]);
  });
});

it('only the counts of a row are selected, in a fixed order', () => {
  const row = Object.fromEntries([...countNames.map((name, n) => [name, n]), ['other', 1]]) as never;
  expect(Object.entries(countsIn(row))).toEqual(countNames.map((name, n) => [name, n]));
  expect(countNames).toEqual([
    'stf_count',
    'tf_files_received',
    'slices_created',
    'slices_queued',
    'slices_processing',
    'slices_completed',
    'slices_failed',
  ]);
});
