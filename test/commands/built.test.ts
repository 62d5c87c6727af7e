import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { runCliProcess, runWorkflow, temporaryFolder } from '../helpers.ts';

/**
 * Each command as people run it: from the bundle, whose parts are loaded on demand. Words that load the whole command and end soon, and the exit code.
 * Commands that need a broker get a wrong address, and commands that would run on get a wrong value.
 */
const commands: Record<string, readonly [words: string, code: number]> = {
  add: ['cursor --scope project', 0],
  agent: ['data --broker nonsense', 78],
  agents: ['', 0],
  alarms: ['', 0],
  backup: ['copy.db', 0],
  call: ['list_agents {}', 0],
  check: ['', 0],
  completion: ['bash', 0],
  config: ['--list', 0],
  continue: ['latest', 1],
  doctor: ['', 0],
  export: ['latest --out exported', 0],
  files: ['', 0],
  help: ['run', 0],
  list: ['', 0],
  logs: ['', 0],
  messages: ['', 0],
  note: ['latest seen', 0],
  observe: ['--from heard.jsonl', 0],
  open: ['stf_none-0001', 1],
  pause: ['latest', 1],
  plan: ['', 0],
  prune: ['--keep 9', 0],
  quality: ['latest good --reason fine', 0],
  ready: ['name', 1],
  report: ['', 0],
  request: ['--broker nonsense', 1],
  resume: ['latest', 0],
  run: ['--speed max --stf-count 1', 0],
  samples: ['', 0],
  serve: ['', 0],
  'serve-files': ['nonsense', 78],
  slices: ['', 0],
  status: ['', 0],
  stop: ['latest', 1],
  summarize: ['slices --group-by status', 0],
  tools: ['', 0],
  trace: ['swf.100010.000001.stf', 0],
  unit: ['name --broker stomp://h:61613', 0],
  up: ['--broker nonsense', 78],
  upgrade: ['', 0],
  watch: ['--webhook nonsense', 78],
};

describe('from the bundle', () => {
  const folder = temporaryFolder();
  beforeAll(async () => {
    await runWorkflow(folder, '--stf-count', '1');
    const heard = {
      t: '2026-11-28T00:00:00Z',
      destination: '/topic/epictopic',
      headers: {},
      body: { msg_type: 'start_run' },
    };
    writeFileSync(join(folder, 'heard.jsonl'), `${JSON.stringify(heard)}\n`);
  });

  it.each(Object.entries(commands))('%s works, or says what is wrong', async (command, [words, code]) => {
    const args = [command, ...words.split(' ').filter((word) => word !== '')];
    const ended = await runCliProcess(args, { folder });
    expect(ended.stderr).not.toMatch(/bug|Cannot find module|ERR_/);
    expect({ args, code: ended.code, stderr: ended.stderr }).toMatchObject({ args, code });
  });

  it('every command has a row in this test', async () => {
    const { stdout } = await runCliProcess(['--help'], { folder });
    const all = [...stdout.matchAll(/^ {2}([a-z][a-z-]*)(?: |$)/gm)].map(([, name]) => name);
    expect(Object.keys(commands)).toEqual(all.toSorted());
  });
});
