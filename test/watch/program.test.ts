import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { programReceiver } from '../../src/watch/receiver.ts';
import { temporaryFolder } from '../helpers.ts';

const delivery = {
  id: 'alarm/FILE_GONE/e-1:host/1/raised',
  text: 'gone',
  plain: 'gone',
  code: 'FILE_GONE',
  subject: 'e-1:host',
  change: 'raised',
  severity: 'error',
  count: 1,
} as const;

/** A program that writes a variable into a file, and ends with a code. */
function made(variable: string, code = 0) {
  const folder = temporaryFolder();
  const [path, file] = [join(folder, 'tell.sh'), join(folder, 'told')];
  writeFileSync(path, `#!/bin/sh\nprintf %s "$${variable}" > ${file}\nexit ${code}\n`);
  chmodSync(path, 0o755);
  return { path, told: () => readFileSync(file, 'utf8') };
}

const { signal } = new AbortController();

describe('a program that receives alarms', () => {
  it('receives escapes for characters that an environment variable cannot hold', async () => {
    const { path, told } = made('SWF_SUBJECT');
    await programReceiver(path, process.env).tell({ ...delivery, subject: 'e-1:host\u0000\u202E' }, signal);
    expect(told()).toBe(String.raw`e-1:host\u{0}\u{202e}`);
  });

  it.each([
    ['PATH', '/opt/site/bin:/bin'],
    ['LC_TIME', 'C'],
    ['https_proxy', 'http://proxy:3128'],
    ['SWF_WEBHOOK', ''],
    ['SWF_BROKER_PASSWORD', ''],
    ['SITE_PATH', ''],
  ])('inherits the variables that any program needs, and no others: %s', async (name, expected) => {
    const { path, told } = made(name);
    await programReceiver(path, { ...process.env, [name]: expected === '' ? 's3cret' : expected }).tell(
      delivery,
      signal,
    );
    expect(told()).toBe(expected);
  });

  it('receives texts whose commands name the store', async () => {
    const { path, told } = made('SWF_TEXT');
    const named = (text: string) => text.replace('swf-mcp', 'swf-mcp --db a.db');
    await programReceiver(path, process.env, named).tell({ ...delivery, plain: 'run "swf-mcp resume e"' }, signal);
    expect(told()).toBe('run "swf-mcp --db a.db resume e"');
  });

  it('has not received an alarm if it exits with an error', async () => {
    const { path } = made('SWF_ID', 3);
    await expect(programReceiver(path, process.env).tell(delivery, signal)).rejects.toThrow('it ended with 3');
  });
});
