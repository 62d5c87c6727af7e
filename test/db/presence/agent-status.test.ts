import { afterEach, describe, expect, it, vi } from 'vitest';

import { agentState, agentStatus, isSameKind, type SignsOfLife } from '../../../src/db/presence/agent-registry.ts';
import { isProcessAlive, isSilent, type LivenessTest, momentOfTest } from '../../../src/db/presence/leases.ts';

const now = Date.parse('2026-03-01T10:00:00.000Z');
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

/** The answer of the system about a process, at the moment in question. */
const says = (isAlive: boolean | undefined): LivenessTest => Object.assign(() => isAlive, { now });

interface Signs extends Partial<Omit<SignsOfLife, 'last_heartbeat' | 'last_beat'>> {
  /** Seconds since the last sign of the agent, and of its process. */
  agent?: number;
  process?: number;
}

const signsOf = ({ agent = 0, process = 0, ...others }: Signs): SignsOfLife => ({
  state: 'READY',
  ended: null,
  pid: 7,
  pid_started: '1',
  hostname: 'host-a',
  is_remote: 0,
  ...others,
  last_heartbeat: ago(agent),
  last_beat: ago(process),
});

afterEach(() => void vi.useRealTimers());

describe('the status of an agent', () => {
  it.each<[what: string, signs: Signs, isAlive: boolean | undefined, status?: string]>([
    ['that ended cleanly is OK', { state: 'EXITED', ended: 'order' }, false, 'OK'],
    ['that exited is OK, even if the end of its process is not recorded', { state: 'EXITED' }, false, 'OK'],
    ['that ended because of a fault is ERROR', { state: 'EXITED', ended: 'fault' }, true, 'ERROR'],
    ['that was killed is STALE', { state: 'EXITED', ended: 'lost' }, true, 'STALE'],
    ['heard just now is OK', {}, true, 'OK'],
    ['heard less than 15 s ago is OK', { agent: 14.999 }, true, 'OK'],
    ['heard 15 s ago is WARNING', { agent: 15 }, true, 'WARNING'],
    ['heard less than 30 s ago is WARNING', { agent: 29.999 }, true, 'WARNING'],
    ['heard 30 s ago is STALE', { agent: 30 }, true, 'STALE'],
    ['heard up to 5 s in the future is OK, as clocks may differ by that much', { agent: -5 }, true, 'OK'],
    ['heard more than 5 s in the future is unknown', { agent: -5.001 }, true],
    [
      'that ended cleanly more than 5 s in the future is OK',
      { state: 'EXITED', ended: 'order', agent: -6 },
      false,
      'OK',
    ],
    ['with a dead process, heard more than 5 s in the future, is STALE', { agent: -6 }, false, 'STALE'],
    ['with a dead process is STALE', {}, false, 'STALE'],
    ['with a process that failed is ERROR', { ended: 'fault' }, false, 'ERROR'],
    ['with a dead process that ended cleanly is STALE', { ended: 'order' }, false, 'STALE'],
    ['on another host, with a process heard less than 15 s ago, is OK', { process: 14.999 }, undefined, 'OK'],
    ['on another host, with a process heard 15 s ago, is STALE', { process: 15 }, undefined, 'STALE'],
    ['without a store, heard less than 15 s ago, is OK', { is_remote: 1, agent: 14.999, process: 14.999 }, false, 'OK'],
    ['without a store, heard 15 s ago, is STALE', { is_remote: 1, agent: 15 }, true, 'STALE'],
    ['without a store, with a process heard less than 60 s ago, is OK', { is_remote: 1, process: 59.999 }, false, 'OK'],
    ['without a store, with a process heard 60 s ago, is STALE', { is_remote: 1, process: 60 }, true, 'STALE'],
    ['without a store, that failed, is ERROR', { is_remote: 1, process: 60, ended: 'fault' }, true, 'ERROR'],
  ])('%s', (_what, signs, isAlive, status) => {
    expect(agentStatus(signsOf(signs), says(isAlive))).toBe(status);
  });
});

describe('the state of an agent', () => {
  it.each<
    [what: string, signs: Signs & { agent_type: string }, inHand: number, isAlive: boolean, state: string | undefined]
  >([
    ['that has ended is EXITED', { agent_type: 'worker', state: 'EXITED' }, 3, true, 'EXITED'],
    ['with a dead process is EXITED', { agent_type: 'worker' }, 3, false, 'EXITED'],
    [
      'without a store, once silent, is unknown',
      { agent_type: 'worker', is_remote: 1, process: 999 },
      0,
      false,
      undefined,
    ],
    [
      'without a store, once ended, is EXITED',
      { agent_type: 'worker', is_remote: 1, state: 'EXITED' },
      0,
      true,
      'EXITED',
    ],
    ['without a store, while heard, is READY', { agent_type: 'worker', is_remote: 1 }, 0, false, 'READY'],
    ['other than a worker is as it reports', { agent_type: 'data', state: 'PROCESSING' }, 0, true, 'PROCESSING'],
    [
      'other than a worker, while it starts, is STARTING',
      { agent_type: 'data', state: 'STARTING' },
      1,
      true,
      'STARTING',
    ],
    ['that is READY with a slice is PROCESSING', { agent_type: 'worker', state: 'READY' }, 1, true, 'PROCESSING'],
    ['that is PROCESSING without a slice is READY', { agent_type: 'worker', state: 'PROCESSING' }, 0, true, 'READY'],
    ['that starts without a slice is STARTING', { agent_type: 'worker', state: 'STARTING' }, 0, true, 'STARTING'],
    ['that starts with a slice is PROCESSING', { agent_type: 'worker', state: 'STARTING' }, 1, true, 'PROCESSING'],
  ])('%s', (_what, { agent_type, ...signs }, inHand, isAlive, state) => {
    expect(agentState({ ...signsOf(signs), agent_type }, inHand, says(isAlive))).toBe(state);
  });
});

describe('a process', () => {
  it.each<[what: string, signs: Signs, isAlive: boolean | undefined, lives: boolean, silent: boolean]>([
    ['that the system knows is alive, even if it is silent', { process: 999 }, true, true, true],
    ['that the system does not know is dead, even if it was just heard', {}, false, false, false],
    ['on another host is alive while it is heard', { process: 14.999 }, undefined, true, false],
    ['on another host is dead once it is late', { process: 15 }, undefined, false, true],
    ['without a store is alive for a minute', { is_remote: 1, process: 59.999 }, false, true, true],
    ['without a store is dead after a minute', { is_remote: 1, process: 60 }, true, false, true],
  ])('%s', (_what, signs, isAlive, lives, silent) => {
    const row = signsOf(signs);
    expect([isProcessAlive(row, says(isAlive)), isSilent(row, says(isAlive))]).toEqual([lives, silent]);
  });

  it('is judged as of now unless another moment is given', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: now + 5000 });
    expect([momentOfTest(() => true), momentOfTest(says(true))]).toEqual([now + 5000, now]);
    expect(isSilent(signsOf({ process: 10 }), () => true)).toBe(true);
    expect(isSilent(signsOf({ process: 9.999 }), () => true)).toBe(false);
  });
});

it('two kinds of work are the same if their reason and name are equal', () => {
  const kind = { reason: 'NO_PAYLOAD', name: 'reco', detail: 'why' };
  expect(isSameKind(kind, { reason: 'NO_PAYLOAD', name: 'reco', since: 'then' })).toBe(true);
  expect(isSameKind(kind, { ...kind, name: 'other' })).toBe(false);
  expect(isSameKind(kind, { ...kind, reason: 'NO_FILE' })).toBe(false);
});
