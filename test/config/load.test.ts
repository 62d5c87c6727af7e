import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { knownKeys } from '../../src/config/schema.ts';
import { temporaryFolder } from '../helpers.ts';

const shippedFolder = join(import.meta.dirname, '../../workflows');

/** A working folder with these files, and a loader that works in it. */
function folderWith(files: Record<string, string>) {
  const workingFolder = temporaryFolder();
  mkdirSync(join(workingFolder, 'workflows'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(workingFolder, name), text);
  return (name?: string, sets: string[] = []) => loadConfig({ name, sets, workingFolder, shippedFolder }).config;
}

const minimal = '[testbed]\nnamespace = "mine"\n';

describe('a configuration', () => {
  it('without a name is the shipped default, value by value', () => {
    expect(folderWith({})()).toMatchObject({
      testbed: { namespace: 'torre2' },
      workflow: { name: 'stf_datataking', realtime: true },
      fast_processing: {
        stf_count: 10,
        physics_period_count: 1,
        target_worker_count: 30,
        stf_sampling_rate: 1,
        slices_per_sample: 15,
        slice_processing_time: 30,
      },
      fastmon: { tf_samples_per_stf: 1, tf_fraction: 0.15 },
      daq_state_machine: {
        no_beam_not_ready_delay: 5,
        beam_not_ready_delay: 5,
        beam_ready_delay: 2,
        beam_not_ready_end_delay: 5,
        broadcast_delay: 1,
        stf_interval: 2,
        stf_generation_time: 0.1,
        standby_duration: 2,
        physics_period_duration: 10,
        tf_per_stf: 1000,
        tf_size_bytes: 64,
      },
      worker: { timeout_seconds: 600, max_retries: 3 },
      data: { write_files: true },
    });
  });

  it('with only a namespace has the same defaults as the shipped files', () => {
    const { testbed: _, workflow: __, ...shipped } = folderWith({})();
    const { testbed: ___, workflow: ____, ...own } = folderWith({ 'workflows/own.toml': minimal })('own');
    expect(own).toEqual(shipped);
  });

  it('resolves data.dir relative to the folder of its file, or to the working folder if set by --set', () => {
    const load = folderWith({ 'workflows/own.toml': `${minimal}[data]\ndir = "files"\n` });
    expect(load('own').data.dir).toMatch(/\/workflows\/files$/);
    expect(load('own', ['data.dir=files']).data.dir).toMatch(/\/case-[^/]+\/files$/);
    expect(load('own', ['data.dir=/abs/files']).data.dir).toBe('/abs/files');
    expect(load().data.dir).toBeUndefined();
  });

  it('is found by name in the working folder, then among the shipped files, or by path', () => {
    const load = folderWith({
      'workflows/fast_processing_default.toml': '[testbed]\nnamespace = "nearer"\n',
      'workflows/night_default.toml': '[testbed]\nnamespace = "night"\n',
      'here.toml': '[testbed]\nnamespace = "here"\n',
    });
    expect(load().testbed.namespace).toBe('nearer');
    expect(load('fast_processing').testbed.namespace).toBe('nearer');
    expect(load('night').testbed.namespace).toBe('night');
    expect(load('here.toml').testbed.namespace).toBe('here');
    expect(load('./workflows/night_default.toml').testbed.namespace).toBe('night');
  });

  it('can include a shipped file by name, unless a file with that name is in the same folder', () => {
    const main = `${minimal}[workflow]\nincludes = ["daq_state_machine.toml"]\n`;
    expect(folderWith({ 'main.toml': main })('./main.toml').daq_state_machine.stf_interval).toBe(2);
    const own = { 'main.toml': main, 'daq_state_machine.toml': '[daq_state_machine]\nstf_interval = 7\n' };
    expect(folderWith(own)('./main.toml').daq_state_machine.stf_interval).toBe(7);
  });

  it('overrides its includes; a later include overrides an earlier one, and --set overrides all', () => {
    const load = folderWith({
      'workflows/a.toml':
        '[fast_processing]\nstf_count = 1\nslices_per_sample = 1\ntarget_worker_count = 1\n[workflow]\nname = "included"\n',
      'workflows/b.toml': '[fast_processing]\nslices_per_sample = 2\ntarget_worker_count = 2\n',
      'workflows/main.toml': `${minimal}[workflow]\nincludes = ["a.toml", "b.toml"]\n[fast_processing]\ntarget_worker_count = 3\n`,
    });
    expect(load('main')).toMatchObject({
      workflow: { name: 'included' },
      fast_processing: { stf_count: 1, slices_per_sample: 2, target_worker_count: 3 },
    });
    expect(
      load('main', [
        'fast_processing.target_worker_count=4',
        'testbed.namespace=other',
        'workflow.description="a = b"',
      ]),
    ).toMatchObject({
      testbed: { namespace: 'other' },
      workflow: { description: 'a = b' },
      fast_processing: { target_worker_count: 4 },
    });
  });

  it('takes physics_period_count from [fast_processing], or else from [daq_state_machine]', () => {
    const load = folderWith({
      'workflows/one.toml': `${minimal}[daq_state_machine]\nphysics_period_count = 2\n`,
      'workflows/two.toml': `${minimal}[daq_state_machine]\nphysics_period_count = 2\n[fast_processing]\nphysics_period_count = 3\n`,
    });
    expect(load('one').fast_processing.physics_period_count).toBe(2);
    expect(load('two').fast_processing.physics_period_count).toBe(3);
    expect(load('two', ['daq_state_machine.physics_period_count=4']).fast_processing.physics_period_count).toBe(4);
  });

  it('is frozen', () => {
    const config = folderWith({})();
    expect(() => Object.assign(config.fast_processing, { stf_count: 99 })).toThrow(TypeError);
  });

  it('may begin with a byte order mark', () => {
    expect(folderWith({ 'bom.toml': `\uFEFF${minimal}` })('bom.toml').testbed.namespace).toBe('mine');
  });
});

describe('a wrong configuration', () => {
  it.each([
    ['[testbed]\nnamespace = ""\n', /wrong\.toml: testbed\.namespace = "": must be/],
    [
      `${minimal}[fast_processing]\nstf_cuont = 3\n`,
      /wrong\.toml: unknown key fast_processing\.stf_cuont; the nearest known key is fast_processing\.stf_count/,
    ],
    [
      `${minimal}[fastmn]\ntf_fraction = 0.1\n`,
      /wrong\.toml: unknown section \[fastmn\]; the nearest known section is \[fastmon\]$/,
    ],
    [`${minimal}[fast_processing]\nstf_count = "3"\n`, /wrong\.toml: fast_processing\.stf_count = "3": .*number/],
    [`${minimal}[fast_processing]\nstf_count = -3\n`, /wrong\.toml: fast_processing\.stf_count = -3/],
    [`${minimal}[fast_processing]\nstf_count = 99999999999999999999\n`, /fast_processing\.stf_count = .*/],
    [`${minimal}[fastmon]\ntf_fraction = 0\n`, /fastmon\.tf_fraction = 0/],
    [`${minimal}[daq_state_machine]\nstf_interval = nan\n`, /daq_state_machine\.stf_interval/],
    [`${minimal}[daq_state_machine]\ntf_size_bytes = 8\n`, /daq_state_machine\.tf_size_bytes = 8/],
    [`${minimal}[workflow]\nname = "../evil"\n`, /workflow\.name = "\.\.\/evil"/],
    [`${minimal}[[fast_processing]]\nstf_count = 1\n`, /wrong\.toml: fast_processing = /],
    [`${minimal}[workflow]\nincludes = "a.toml"\n`, /workflow\.includes is not a list/],
    [`${minimal}[workflow]\nincludes = ["wrong.toml"]\n`, /wrong\.toml includes itself/],
    [`${minimal}[fast_processing\n`, /wrong\.toml line 3, column \d+: /],
    [`${minimal}[constructor]\nx = 1\n`, /./],
    [`${minimal}__proto__ = 1\n`, /./],
  ])('%j is refused with an error that names the place and the value', (text, expected) => {
    const load = folderWith({ 'wrong.toml': text });
    expect(() => load('wrong.toml')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(expected) }),
    );
  });

  it.each([
    ['fast_processing.stf_count.x=1', /--set ".*": stf_count = 10 is not a section/],
    ['workflow.includes=["a.toml"]', /files are read before/],
    ['fast_processing.stf_count=nan', /fast_processing\.stf_count = NaN/],
    ['fast_processing.stf_count=1979-05-27', /fast_processing\.stf_count = 1979-05-27/],
    ['a.b=1', /unknown section \[a\]; known sections are testbed, workflow/],
  ])('--set %s is refused with an error that says why', (set, expected) => {
    expect(() => folderWith({})(undefined, [set])).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(expected) }),
    );
  });

  it('is reported with its file name if the file is missing', () => {
    const notFound = { code: 'CONFIG_NOT_FOUND', message: expect.stringContaining('nothing_default.toml') };
    expect(() => folderWith({})('nothing')).toThrow(expect.objectContaining(notFound));
  });

  it('that includes a missing file is reported with the name of that file', () => {
    const load = folderWith({ 'main.toml': `${minimal}[workflow]\nincludes = ["gone.toml"]\n` });
    expect(() => load('main.toml')).toThrow(
      expect.objectContaining({ code: 'CONFIG_NOT_FOUND', message: expect.stringContaining('gone.toml') }),
    );
  });
});

describe('the testbed’s own files', () => {
  /** The keys that the testbed's files have, with its agents, places and spellings. */
  const testbed = {
    'workflows/testbed.toml':
      '[testbed]\nnamespace = "torre1"\n[agents.processing]\nenabled = true\nscript = "example_agents/processing_agent.py"\n[agents.data]\nenabled = false\nscript = "x.py"\n[workflow]\nname = "stf_datataking"\nconfig = "own_processing"\nrealtime = true\n[parameters]\n',
    'workflows/own_processing.toml':
      '[testbed]\nnamespace = "torre2"\n[workflow]\nname = "fast_processing"\nversion = "1.0"\ndescription = "d"\nincludes = ["own_daq.toml"]\n[agents.processing]\nenabled = false\n[agents.fast_processing]\nenabled = true\nscript = "y.py"\n[fast_processing]\nstf_count = 10\nphysics_period_count = 1\nworker_rampup_time = 300\nworker_rampdown_time = 60\nnum_tf_per_slice = 2\n',
    'workflows/own_daq.toml': '[daq_state_machine]\nstf_interval = 3.0\nphysics_period_count = 2\n',
    'workflows/datataking.toml':
      '[workflow]\nname = "stf_datataking"\n[simulation]\nstf_count = 5\nphysics_period_count = 1\nphysics_period_duration = 60\nstf_interval = 2.2\nrealtime = false\n',
  };

  function loader() {
    const workingFolder = temporaryFolder();
    mkdirSync(join(workingFolder, 'workflows'));
    for (const [name, text] of Object.entries(testbed)) writeFileSync(join(workingFolder, name), text);
    return (name: string, testbedFile?: string) => loadConfig({ name, testbedFile, workingFolder, shippedFolder });
  }

  it('load unchanged, with warnings about agents that are not bundled and keys without effect', () => {
    const { config, warnings, isOwnNamespace } = loader()('testbed');
    expect(config).toMatchObject({
      testbed: { namespace: 'torre1' },
      workflow: { name: 'stf_datataking', version: '1.0' },
      fast_processing: { stf_count: 10, physics_period_count: 1 },
      daq_state_machine: { stf_interval: 3 },
      agents: { data: { enabled: false }, fast_processing: { enabled: true } },
    });
    expect(isOwnNamespace).toBe(true);
    expect(warnings).toEqual([
      'agents.processing is not bundled with swf-mcp and is not started',
      'fast_processing.worker_rampup_time has no effect here',
      'fast_processing.worker_rampdown_time has no effect here',
      'fast_processing.num_tf_per_slice has no effect here',
    ]);
  });

  it('take missing keys from [simulation], and the namespace from the overrides or the shipped file', () => {
    const load = loader();
    const alone = load('datataking');
    expect(alone.config).toMatchObject({
      testbed: { namespace: 'torre2' },
      workflow: { realtime: false },
      fast_processing: { stf_count: 5, physics_period_count: 1 },
      daq_state_machine: { physics_period_duration: 60, stf_interval: 2.2 },
    });
    expect(alone.isOwnNamespace).toBe(false);
    const overridden = load('datataking', 'testbed.toml');
    expect(overridden.config.testbed.namespace).toBe('torre1');
    expect(overridden.isOwnNamespace).toBe(true);
  });

  it('are refused if [simulation] has an unknown key, or if the overrides file is missing', () => {
    const load = folderWith({ 'x.toml': `${minimal}[simulation]\nstf_cuont = 1\n` });
    expect(() => load('x.toml')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('simulation') }),
    );
    expect(() => loader()('datataking', 'gone.toml')).toThrow(
      expect.objectContaining({ code: 'CONFIG_NOT_FOUND', message: expect.stringContaining('SWF_TESTBED_CONFIG') }),
    );
  });
});

describe('the shipped files', () => {
  it('spell out every key', () => {
    const text = ['fast_processing_default', 'daq_state_machine']
      .map((name) => readFileSync(join(shippedFolder, `${name}.toml`), 'utf8'))
      .join('\n');
    for (const key of knownKeys) expect(text).toMatch(new RegExp(`^(# )?${key.split('.').at(-1)} = `, 'm'));
  });
});
