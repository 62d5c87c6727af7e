import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { payloadWarnings, requireRunnable, resolvePayload } from '../../src/config/payload-command.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { temporaryFolder } from '../folder.ts';

const folder = temporaryFolder();
mkdirSync(join(folder, 'bin'));
for (const [name, mode] of [
  ['run.sh', 0o755],
  ['text', 0o644],
] as const) {
  writeFileSync(join(folder, 'bin', name), '');
  chmodSync(join(folder, 'bin', name), mode);
}
const inFolder = (name: string): string => join(folder, 'bin', name);

const withPayload = (payload: string[] | undefined, enabled = true): Config =>
  configSchema.parse({ testbed: { namespace: 'n' }, worker: { payload }, agents: { worker: { enabled } } });

describe('a payload command', () => {
  it.each([
    [
      ['run', 'a.txt'],
      ['run', 'a.txt'],
    ],
    [
      ['./run', './a', '../b', '.c', 'd/./e', '/f'],
      ['/w/run', '/w/a', '/b', '.c', 'd/./e', '/f'],
    ],
    [['bin/run'], ['/w/bin/run']],
    [['/bin/run'], ['/bin/run']],
    [[], ['']],
  ])('resolves its paths against the folder of its configuration file: %j', (command, resolved) => {
    expect(resolvePayload(command, '/w')).toEqual(resolved);
  });

  it.each([
    ['a program given by path', [inFolder('run.sh')], undefined, ''],
    ['a program in PATH', ['run.sh'], ['', '/nowhere', join(folder, 'bin')].join(delimiter), ''],
    ['a program while PATH is unset', ['run.sh'], undefined, ''],
    ['no payload', undefined, '', ''],
    ['a program that is in no folder', ['run.sh'], '/nowhere', 'the program run.sh is not in any folder of PATH, so'],
    [
      'a program in a PATH without folders',
      ['run.sh'],
      delimiter,
      'the program run.sh is not in any folder of PATH, so',
    ],
    ['a file that does not exist', [inFolder('gone')], '', `the program ${inFolder('gone')} does not exist, so`],
    ['a file that is not executable', [inFolder('text')], '', `the program ${inFolder('text')} is not executable, so`],
    ['a folder', [join(folder, 'bin')], '', `the program ${join(folder, 'bin')} is not a file, so`],
  ])('that names %s can be run, or the error says why not', (_, payload, path, words) => {
    const check = (): void => requireRunnable(withPayload(payload), path);
    if (words === '') expect(check).not.toThrow();
    else
      expect(check).toThrow(
        `worker.payload: ${words} every slice would fail; fix it, or name another program with --set 'worker.payload=["PROGRAM","ARGUMENT"]'`,
      );
    expect(() => requireRunnable(withPayload(payload, false), path)).not.toThrow();
  });

  it.each([
    [['run', '{tf_path}', '{start}-{end}', '{tf_count}{slice_filename}{run_number}{output_dir}'], []],
    [['anywhere', '{Path}', '{}'], []],
    [
      ['run', '{path}', '{path} {stf_path}'],
      ['path', 'stf_path'].map(
        (name) =>
          `worker.payload: {${name}} is not a placeholder and is left as it is; the placeholders are {tf_path}, {start}, {end}, {tf_count}, {slice_filename}, {run_number}, {output_dir}`,
      ),
    ],
    [[inFolder('gone')], [`worker.payload: ${inFolder('gone')} does not exist; on this host every slice would fail`]],
    [[inFolder('run.sh')], []],
  ])('leads to a warning if it looks wrong: %j', (command, warnings) => {
    expect(payloadWarnings(command)).toEqual(warnings);
  });
});
