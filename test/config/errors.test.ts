import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { isFile, knownConfigs } from '../../src/config/find-files.ts';
import { type Loaded, loadConfig, parseRecordedConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { showValue, tomlValue } from '../../src/config/toml.ts';
import { temporaryFolder } from '../folder.ts';

const shippedFolder = join(import.meta.dirname, '../../workflows');
const minimal = '[testbed]\nnamespace = "mine"\n';

interface Given {
  files?: Record<string, string>;
  name?: string;
  sets?: string[];
  testbedFile?: string;
  overrides?: Record<string, unknown>;
}

function load({ files = {}, ...given }: Given): { loaded: Loaded; folder: string } {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'workflows'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return { folder, loaded: loadConfig({ workingFolder: folder, shippedFolder, sets: [], ...given }) };
}

/** The error, with the working folder as `.`. */
function errorOf(given: Given): string {
  try {
    load(given);
  } catch (error) {
    return (error as Error).message.replaceAll(/\/\S*\/case-\w+|\/\S*swf-mcp-\w+(?=\/)/g, '.');
  }
  return 'none';
}

const set = (...sets: string[]): Given => ({ files: { 'a.toml': minimal }, name: 'a.toml', sets });
const file = (text: string): Given => ({ files: { 'a.toml': minimal + text }, name: 'a.toml' });

describe('an error in a configuration', () => {
  it.each<[string, Given, string | RegExp]>([
    ['a missing path', { name: './b.toml' }, './b.toml; check the path'],
    [
      'an unknown name',
      { name: 'histogra' },
      '; the nearest is histogram_default; "swf-mcp config --list" lists them all; the default is fast_processing_default',
    ],
    ['an unknown default', { name: 'x_default' }, 'no x_default, x_default.toml in ./workflows'],
    [
      'a name unlike any known name',
      { name: 'zzzzzzzz' },
      'among the shipped files; "swf-mcp config --list" lists them all; the default is',
    ],
    [
      'a missing file of overrides',
      { testbedFile: 'gone.toml' },
      /^SWF_TESTBED_CONFIG = "gone\.toml": there is no file \S+workflows\/gone\.toml; fix or unset it$/,
    ],
    ['an unknown section', file('[fast]\nx = 1\n'), /^\S+a\.toml: unknown section \[fast\]; /],
    [
      'a mistyped section',
      file('[wroker]\nmax_retries = 1\n'),
      'unknown section [wroker]; the nearest known section is [worker]',
    ],
    [
      'a section that belongs in another',
      file('[destinations]\nslices = "/queue/a"\n'),
      'unknown section [destinations]; the nearest known section is [broker.destinations]',
    ],
    [
      'a mistyped section in another',
      file('[broker.destination]\nslices = "/queue/a"\n'),
      'unknown section [broker.destination]; the nearest known section is [broker.destinations]',
    ],
    [
      'a section unlike any known section',
      file('[zzzzzzzz]\nx = 1\n'),
      'unknown section [zzzzzzzz]; known sections are testbed, workflow',
    ],
    [
      'an unknown key',
      file('[worker]\nmax_retry = 1\n'),
      'unknown key worker.max_retry; the nearest known key is worker.max_retries',
    ],
    [
      'a known key in the wrong section',
      set('fast_processing.tf_fraction=0.2'),
      '--set: unknown key fast_processing.tf_fraction; the nearest known key is fastmon.tf_fraction',
    ],
    ['an unknown key in --set', set('worker.max_retry=1'), /^--set: unknown key worker\.max_retry; /],
    [
      'an unknown key in a request',
      { ...set(), overrides: { worker: { max_retry: 1 } } },
      /^the request: unknown key worker\.max_retry; /,
    ],
    ['a number without quotes instead of a string', set('testbed.namespace=7'), '--set: testbed.namespace = 7: '],
    ['a number instead of a string', set('testbed.namespace=7'), /; write a string in quotes$/],
    [
      'a string instead of a number',
      set('worker.max_retries=many'),
      /^--set: worker\.max_retries = "many": (?!.*in quotes)/,
    ],
    ['a password of the wrong type', set('broker.password=7'), '--set: broker.password = ***: '],
    ['a list of the wrong type', set('worker.payload=[7]'), /^--set|worker\.payload\.0 = 7/],
    [
      '--set without a section',
      set('stf_count=3'),
      '--set "stf_count=3" is not section.key=value; write for example --set fast_processing.stf_count=3',
    ],
    ['--set without a value', set('worker.max_retries'), 'is not section.key=value'],
    ['--set with words before the key', set('x worker.max_retries=3'), 'is not section.key=value'],
    ['--set with a key that begins with a digit', set('1worker.max_retries=3'), 'is not section.key=value'],
    [
      '--set of files to include',
      set('workflow.includes=["a"]'),
      '--set "workflow.includes=[\\"a\\"]": files are read before --set applies; write it into your own file',
    ],
    ['--set of the testbed’s file', set('workflow.config=a'), 'files are read before --set applies'],
    [
      '--set of a key below a value',
      set('testbed.namespace.x=1'),
      '--set "testbed.namespace.x=1": namespace = "mine" is not a section; fix that first',
    ],
    [
      'a file that includes itself',
      file('[workflow]\nincludes = ["a.toml"]\n'),
      /a\.toml includes itself \(\S+a\.toml → \S+a\.toml\); remove one include$/,
    ],
    [
      'files that include each other',
      {
        files: {
          'a.toml': `${minimal}[workflow]\nincludes = ["b.toml"]\n`,
          'b.toml': '[workflow]\nincludes = ["a.toml"]\n',
        },
        name: 'a.toml',
      },
      /\(\S+a\.toml → \S+b\.toml → \S+a\.toml\)/,
    ],
    [
      'includes that are not a list',
      file('[workflow]\nincludes = "b.toml"\n'),
      'a.toml: workflow.includes is not a list of file names; write includes = ["file.toml"]',
    ],
    [
      'includes that are not all file names',
      file('[workflow]\nincludes = ["b.toml", ["c"]]\n'),
      /includes|Inline|type/,
    ],
    [
      'a missing include',
      file('[workflow]\nincludes = ["b.toml"]\n'),
      /^\S+a\.toml includes "b\.toml", but there is no such file next to it or among the shipped files; fix workflow\.includes$/,
    ],
    [
      'a misspelt include',
      file('[workflow]\nincludes = ["fastprocessing_default.toml"]\n'),
      /a\.toml includes "fastprocessing_default\.toml", .*; the nearest is fast_processing_default\.toml; fix workflow\.includes$/,
    ],
    [
      'a missing include in another folder',
      file('[workflow]\nincludes = ["x/b.toml"]\n'),
      /includes "x\/b\.toml", but there is no such file at \S+\/x\/b\.toml; fix workflow\.includes$/,
    ],
    ['a folder', { ...file(''), name: './' }, /^\S+ is a folder; name a configuration file in it$/],
    [
      'broken TOML',
      file('[worker]\nx = = 1\n'),
      /^\S+a\.toml line 4, column \d+: [^\n]*(?<!pos \d+:?); fix the TOML there$/,
    ],
    ['an unknown key of [simulation]', file('[simulation]\nstf_count = 2\nmagic = 1\n'), 'simulation'],
  ])('names the place and the fix: %s', (_, given, words) => {
    expect(errorOf(given)).toEqual(
      typeof words === 'string' ? expect.stringContaining(words) : expect.stringMatching(words),
    );
  });

  it('names the execution if the configuration is a recorded one', () => {
    const recorded = configSchema.parse({ testbed: { namespace: 'n' } });
    expect(parseRecordedConfig({ ...recorded, speed: 1, plan_version: 1 }, 'x')).toEqual(recorded);
    expect(() => parseRecordedConfig({ testbed: { namespace: 7 } }, 'stf-1')).toThrow(
      /^the configuration recorded for stf-1: testbed\.namespace = 7/,
    );
  });
});

describe('the origin of a key', () => {
  it('is the last to set it: configuration file, overrides, request or --set', () => {
    const { loaded, folder } = load({
      files: {
        'a.toml': `${minimal}[worker]\nmax_retries = 1\n[simulation]\nstf_count = 2\n[daq_state_machine]\nphysics_period_count = 4\n`,
        'workflows/over.toml': '[fastmon]\ntf_fraction = 0.5\n',
      },
      name: 'a.toml',
      testbedFile: 'over.toml',
      overrides: { fast_processing: { slices_per_sample: 3, slice_processing_time: 5 } },
      sets: ['worker.max_retries = 9', 'workflow.realtime= false ', 'fast_processing.slice_processing_time=7'],
    });
    const { origins, config, warnings } = loaded;
    expect(origins.get('fastmon.tf_fraction')).toBe(join(folder, 'workflows/over.toml'));
    expect(origins.get('fast_processing.slices_per_sample')).toBe('the request');
    expect(origins.get('worker.max_retries')).toBe('--set');
    expect(origins.get('fast_processing.stf_count')).toBe(join(folder, 'a.toml'));
    expect(origins.get('fast_processing.physics_period_count')).toBe(join(folder, 'a.toml'));
    // A flag wins over a request.
    expect(origins.get('fast_processing.slice_processing_time')).toBe('--set');
    expect(config.fast_processing).toMatchObject({ slices_per_sample: 3, slice_processing_time: 7 });
    expect(config).toMatchObject({
      worker: { max_retries: 9 },
      workflow: { realtime: false },
      fast_processing: { stf_count: 2, slices_per_sample: 3, physics_period_count: 4 },
      fastmon: { tf_fraction: 0.5 },
    });
    expect(warnings).toEqual([]);
  });

  it('decides whether the namespace belongs to the user', () => {
    const own = (given: Given): boolean => load(given).loaded.isOwnNamespace;
    expect(own({})).toBe(false);
    expect(own(set())).toBe(true);
    expect(own({ sets: ['testbed.namespace=me'] })).toBe(true);
    expect(own({ files: { 'a.toml': '' }, name: 'a.toml' })).toBe(false);
    expect(own({ testbedFile: '' })).toBe(false);
  });

  it('leads to a warning if the key has no effect there', () => {
    const { warnings } = load(
      file('[parameters]\nx = 1\n[agents.other]\nenabled = true\n[fast_processing]\nworker_rampup_time = 3\n'),
    ).loaded;
    expect(warnings.toSorted()).toEqual([
      '[parameters] has no effect here; use --set',
      'agents.other is not bundled with swf-mcp and is not started',
      'fast_processing.worker_rampup_time has no effect here',
    ]);
    expect(load(file('[parameters]\n')).loaded.warnings).toEqual([]);
  });

  it('determines the folder against which the path of a payload is resolved', () => {
    const { loaded, folder } = load(file('[worker]\npayload = ["./run.sh", "{nothing}"]\nmax_retries = 1\n'));
    expect(loaded.config.worker).toMatchObject({ payload: [join(folder, 'run.sh'), '{nothing}'], max_retries: 1 });
    expect(loaded.warnings).toHaveLength(2);
  });
});

describe('configurations by name', () => {
  it('are those in ./workflows and the shipped ones, each name once, sorted', () => {
    const folder = temporaryFolder();
    const places = { workingFolder: folder, shippedFolder };
    const shipped = knownConfigs(places).map(({ name }) => name);
    expect(shipped).toContain('fast_processing_default');
    expect(shipped).toEqual(shipped.toSorted());
    mkdirSync(join(folder, 'workflows'));
    for (const name of ['zz.toml', 'aa.toml', 'fast_processing_default.toml', 'notes.txt'])
      writeFileSync(join(folder, 'workflows', name), '');
    const known = knownConfigs(places);
    expect(known.map(({ name }) => name)).toEqual([...shipped, 'aa', 'zz'].toSorted());
    expect(known.find(({ name }) => name === 'fast_processing_default')?.path).toBe(
      join(folder, 'workflows/fast_processing_default.toml'),
    );
    expect([isFile(folder), isFile(join(folder, 'x')), isFile(join(folder, 'workflows/zz.toml'))]).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('a value', () => {
  it.each<[string, unknown, string]>([
    ['7', 7, '7'],
    ['9007199254740993', 9007199254740993n, '9007199254740993'],
    ['0.5', 0.5, '0.5'],
    ['true', true, 'true'],
    ['"a b"', 'a b', '"a b"'],
    ['a b', 'a b', '"a b"'],
    ['[1, 2]', [1, 2], '[1,2]'],
    ['{ a = 1 }', { a: 1 }, '{"a":1}'],
    ['[9007199254740993]', [9007199254740993n], '["9007199254740993"]'],
    ['2026-01-01T00:00:00Z', new Date('2026-01-01T00:00:00Z'), '2026-01-01T00:00:00.000Z'],
  ])('given as %s is read as TOML or text, and shown as a person would write it', (text, value, shown) => {
    const read = tomlValue(text);
    expect(read instanceof Date ? new Date(read) : read).toEqual(value);
    expect(showValue(read)).toBe(shown);
  });
});
