import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { runProgram } from '../../src/lib/run-program.ts';
import { temporaryFolder } from '../helpers.ts';

function program(script: string): string {
  const path = join(temporaryFolder(), 'told.sh');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('a notified program', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each([
    ['exit 0', undefined],
    ['exit 3', 'ended with 3'],
    // Somebody else killed it.
    ['kill -KILL $$', 'ended with SIGKILL'],
  ])('that executes "%s" has the problem %j', async (script, problem) => {
    expect(await runProgram(program(script), process.env, {})).toBe(problem);
  });

  it('that takes too long is stopped', async () => {
    const late = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(late.signal);
    const ended = runProgram(program('exec sleep 600'), process.env, {});
    late.abort();
    expect(await ended).toBe('took longer than 30 s and was stopped');
    expect(timeout).toHaveBeenCalledWith(30_000);
  });

  it('that does not start leaves no timer behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    expect(await runProgram('/no/such/program', process.env, {})).toMatch(/^did not start: .*ENOENT/);
    expect(timers()).toBe(before);
  });
});
