import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { configSchema } from '../../src/config/schema.ts';
import { commandState, waitingCommands } from '../../src/db/log/commands.ts';
import type { Recorded } from '../../src/db/log/rows.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import { Lifetime } from '../../src/lib/lifetime.ts';
import { currentProcess, isAlive } from '../../src/lib/process-identity.ts';
import { askRecorder, isDriven } from '../../src/runtime/commands.ts';
import type { Host } from '../../src/runtime/host.ts';
import { startTakeUp } from '../../src/runtime/take-up.ts';
import { useFastTime } from '../fast-time.ts';
import { makeRunningStore } from '../helpers.ts';

useFastTime(20);

const execution_id = 'stf_datataking-tester-0001';

/** A recorder that takes executions up and drives none of them: each of its drivers fails. */
async function recorderThatFails() {
  const config = configSchema.parse({ testbed: { namespace: 'test' }, broker: { url: 'stomp://127.0.0.1:61613' } });
  const { store, say } = await makeRunningStore({ ...config });
  const lines: string[] = [];
  let taken = 0;
  const processId = await store.write((tx) => registerProcess(tx, currentProcess(), '0'));
  const host = {
    store,
    namespace: 'test',
    processId,
    agents: { daq_simulator: 'daq' },
    lifetime: new Lifetime(),
    options: {
      config,
      user: 'tester',
      version: '0',
      broker: {},
      log: { write: ({ message }: { message: string }) => lines.push(message) },
    },
  } as unknown as Host;
  const takeUp = startTakeUp(host, {
    isDriving: () => false,
    onTaken: () => (taken += 1),
  });
  onTestFinished(async () => {
    await takeUp.close();
    host.lifetime.throwFault();
  });
  const request = (): Promise<Recorded> => say('resume_workflow', { command_id: 'go', reason: 'the disk has room' });
  return { store, say, lines, request, taken: () => taken };
}

const until = (test: () => void): Promise<void> => vi.waitFor(test, { timeout: 200_000, interval: 5 });

describe('a recorder that runs as a service', () => {
  it('gives up on an execution after three failed resumes, and resumes it immediately on request', async () => {
    const { store, lines, request, taken } = await recorderThatFails();
    await until(() => expect(lines.at(-1)).toMatch(/giving up on .* for now: it was resumed 3 times/));
    // Its first driver is the start itself.
    expect(taken()).toBe(1 + 3);
    const { message_id } = await request();
    await until(() => expect(taken()).toBeGreaterThan(4));
    expect(commandState(store.sql, message_id)).toEqual({ effect: 'applied' });
    // It has as many tries as before.
    await until(() => expect(lines.at(-1)).toMatch(/giving up on .* for now/));
    expect(taken()).toBe(4 + 3);
  });

  it('resumes an execution on request', async () => {
    const { store, taken } = await recorderThatFails();
    await until(() => expect(taken()).toBe(4));
    const recorder = { ...currentProcess(), last_beat: '', is_remote: 0 };
    const by = { name: 'tester' };
    await askRecorder(store, execution_id, { recorder, by, reason: undefined });
    expect(taken()).toBe(5);
  });

  it('does not count as driving once its driver has ended, even if the process is alive', async () => {
    const { store, say, taken } = await recorderThatFails();
    await until(() => expect(taken()).toBe(4));
    expect(isDriven(store, 'latest', isAlive)).toBe(true);
    await say('driver_ended', { epoch: 4, cause: 'fault', code: 'DATA_UNAVAILABLE', reason: 'the disk is full' });
    expect(isDriven(store, 'latest', isAlive)).toBe(false);
  });

  it('carries out two requests made at the same time', async () => {
    const { store, taken } = await recorderThatFails();
    await until(() => expect(taken()).toBe(4));
    const recorder = { ...currentProcess(), last_beat: '', is_remote: 0 };
    const ask = (name: string) => askRecorder(store, execution_id, { recorder, by: { name }, reason: undefined });
    await Promise.all([ask('alice'), ask('bob')]);
    expect(waitingCommands(store.sql, execution_id, ['resume_workflow'])).toEqual([]);
  });

  it('is named in the error if it does not answer a request', async () => {
    const { store } = await makeRunningStore();
    const recorder = { ...currentProcess(), pid: 7, hostname: 'h', last_beat: '', is_remote: 0 };
    await expect(
      askRecorder(store, execution_id, { recorder, by: { name: 'tester' }, reason: undefined }),
    ).rejects.toThrow(`process 7 on h is recording this namespace, but has not resumed ${execution_id} within 15 s`);
    // The request must not end a pause hours later.
    expect(waitingCommands(store.sql, execution_id, ['resume_workflow'])).toEqual([]);
  });
});
