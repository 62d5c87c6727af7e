import { afterEach, describe, expect, it, vi } from 'vitest';

import { agentState, agentStatus, isSameKind, type SignsOfLife } from '../../../src/db/presence/agent-registry.ts';
import { isProcessAlive, isSilent, type LivenessTest, momentOfTest } from '../../../src/db/presence/leases.ts';

const now = Date.parse('2026-03-01T10:00:00.000Z');
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

/** What the system says of a process, at the moment in question. */
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
  it.each<[what: string, signs: Signs, isAlive: boolean | undefined, status: string]>([
    ['that ended in order', { state: 'EXITED', ended: 'order' }, false, 'OK'],
    ['that ended, as nobody else has noted', { state: 'EXITED' }, false, 'OK'],
    ['that ended by a fault', { state: 'EXITED', ended: 'fault' }, true, 'ERROR'],
    ['that was killed', { state: 'EXITED', ended: 'lost' }, true, 'STALE'],
    ['that was heard just now', {}, true, 'OK'],
    ['that was heard in time', { agent: 14.999 }, true, 'OK'],
    ['that is late', { agent: 15 }, true, 'WARNING'],
    ['that is still only late', { agent: 29.999 }, true, 'WARNING'],
    ['that is silent', { agent: 30 }, true, 'STALE'],
    ['whose process is gone', {}, false, 'STALE'],
    ['whose process could not go on', { ended: 'fault' }, false, 'ERROR'],
    ['whose process is gone, and ended in order', { ended: 'order' }, false, 'STALE'],
    ['of a host that tells nothing, heard in time', { process: 14.999 }, undefined, 'OK'],
    ['of a host that tells nothing, whose process is late', { process: 15 }, undefined, 'STALE'],
    ['without a store, heard in time', { is_remote: 1, agent: 14.999, process: 14.999 }, false, 'OK'],
    ['without a store, that is late', { is_remote: 1, agent: 15 }, true, 'STALE'],
    ['without a store, whose process was heard in time', { is_remote: 1, process: 59.999 }, false, 'OK'],
    ['without a store, whose process is gone', { is_remote: 1, process: 60 }, true, 'STALE'],
    ['without a store, that could not go on', { is_remote: 1, process: 60, ended: 'fault' }, true, 'ERROR'],
  ])('%s', (_what, signs, isAlive, status) => {
    expect(agentStatus(signsOf(signs), says(isAlive))).toBe(status);
  });
});

describe('the state of an agent', () => {
  it.each<[what: string, signs: Signs & { agent_type: string }, inHand: number, isAlive: boolean, state: string]>([
    ['that has ended', { agent_type: 'worker', state: 'EXITED' }, 3, true, 'EXITED'],
    ['whose process is gone', { agent_type: 'worker' }, 3, false, 'EXITED'],
    ['without a store that is silent', { agent_type: 'worker', is_remote: 1, process: 999 }, 0, false, 'READY'],
    ['without a store that has ended', { agent_type: 'worker', is_remote: 1, state: 'EXITED' }, 0, true, 'EXITED'],
    ['that is no worker', { agent_type: 'data', state: 'PROCESSING' }, 0, true, 'PROCESSING'],
    ['that is no worker and starts', { agent_type: 'data', state: 'STARTING' }, 1, true, 'STARTING'],
    ['that works, with a slice', { agent_type: 'worker', state: 'READY' }, 1, true, 'PROCESSING'],
    ['that says it works, without a slice', { agent_type: 'worker', state: 'PROCESSING' }, 0, true, 'READY'],
    ['that starts', { agent_type: 'worker', state: 'STARTING' }, 0, true, 'STARTING'],
    ['that starts, with a slice', { agent_type: 'worker', state: 'STARTING' }, 1, true, 'PROCESSING'],
  ])('%s', (_what, { agent_type, ...signs }, inHand, isAlive, state) => {
    expect(agentState({ ...signsOf(signs), agent_type }, inHand, says(isAlive))).toBe(state);
  });
});

describe('a process', () => {
  it.each<[what: string, signs: Signs, isAlive: boolean | undefined, lives: boolean, silent: boolean]>([
    ['that the system knows lives, even if it is silent', { process: 999 }, true, true, true],
    ['that the system does not know is gone, even if it was heard', {}, false, false, false],
    ['of another host lives while it is heard', { process: 14.999 }, undefined, true, false],
    ['of another host is gone when it is late', { process: 15 }, undefined, false, true],
    ['without a store lives for a minute', { is_remote: 1, process: 59.999 }, false, true, true],
    ['without a store is gone after a minute', { is_remote: 1, process: 60 }, true, false, true],
  ])('%s', (_what, signs, isAlive, lives, silent) => {
    const row = signsOf(signs);
    expect([isProcessAlive(row, says(isAlive)), isSilent(row, says(isAlive))]).toEqual([lives, silent]);
  });

  it('is judged by the present, unless another moment is in question', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: now + 5000 });
    expect([momentOfTest(() => true), momentOfTest(says(true))]).toEqual([now + 5000, now]);
    expect(isSilent(signsOf({ process: 10 }), () => true)).toBe(true);
    expect(isSilent(signsOf({ process: 9.999 }), () => true)).toBe(false);
  });
});

it('two kinds of work are the same if reason and name are', () => {
  const kind = { reason: 'NO_PAYLOAD', name: 'reco', detail: 'why' };
  expect(isSameKind(kind, { reason: 'NO_PAYLOAD', name: 'reco', since: 'then' })).toBe(true);
  expect(isSameKind(kind, { ...kind, name: 'other' })).toBe(false);
  expect(isSameKind(kind, { ...kind, reason: 'NO_FILE' })).toBe(false);
});
