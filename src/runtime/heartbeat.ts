import type { Store } from '../db/opening/store.ts';
import {
  type Beat,
  type ProcessEnd,
  recordEnd,
  recordHeartbeat,
  recordOffDuty,
} from '../db/presence/agent-registry.ts';
import { noteStandstill } from '../db/presence/standstills.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { beatSeconds } from '../domain/liveness.ts';
import { messageOf } from '../lib/errors.ts';
import { steadyClock } from '../lib/time.ts';
import type { OffDuty } from '../messages/telemetry.ts';

/** Milliseconds by the clock of messages, and by a monotonic clock. */
interface Moment {
  at: number;
  monotonic: number;
}

/**
 * Heartbeats farther apart than this show that a process stood still or could not write. A busy machine
 * delays one by less.
 */
const standstillSeconds = beatSeconds + 10;

/** A shorter time without a message does not count as a gap. Seconds. */
const shortestHole = 10;

/** Heartbeats of a process and of the agents that it hosts. */
export function createHeartbeat(store: Store, processId: number, agents: string[], warn: (message: string) => void) {
  /** The execution that each agent has worked on since the last heartbeat. */
  const worked = new Map<string, string>();
  let missed = 0;
  /** When the last heartbeat was written. */
  let written: Moment | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** The heartbeat being written: it must not be written after the last one. */
  let beating: Promise<void> = Promise.resolve();

  async function record(sign: (tx: Transaction) => void) {
    try {
      const { line, now } = await store.write((tx) => {
        sign(tx);
        return standstill(tx, processId, written);
      });
      written = now;
      missed = 0;
      if (line !== undefined) warn(line);
    } catch (error) {
      missed += 1;
      // One miss may be the first sign of a fault that is reported anyway; report two in a row, once.
      if (missed === 2) warn(`heartbeats could not be recorded: ${messageOf(error)}`);
    }
  }

  function beat() {
    const beats = agents.map((name): [string, Beat] => {
      const execution_id = worked.get(name);
      return [name, { state: execution_id === undefined ? 'READY' : 'PROCESSING', execution_id }];
    });
    worked.clear();
    beating = record((tx) => recordHeartbeat(tx, processId, new Map(beats)));
  }

  return {
    /** Records that an agent has worked: it is PROCESSING until the next heartbeat finds it idle. */
    sawWork: (agent: string, executionId: string) => void worked.set(agent, executionId),
    /**
     * Records the work that an agent currently does not accept. A store that cannot be written is reported by
     * the heartbeats.
     */
    noteOffDuty: (agent: string, kinds: readonly OffDuty[]) =>
      void store.write((tx) => recordOffDuty(tx, agent, kinds)).catch(() => {}),
    start() {
      beat();
      timer = setInterval(beat, beatSeconds * 1000);
    },
    /** Writes the last heartbeat: every agent here ends. */
    async end(ended: ProcessEnd) {
      clearInterval(timer);
      await beating;
      await record((tx) => recordEnd(tx, processId, ended));
    },
  };
}

/**
 * Notes more time than usual since the last written heartbeat. A write may have waited, so the time is that
 * of the transaction.
 */
function standstill(tx: Transaction, processId: number, before: Moment | undefined) {
  const now = { at: steadyClock().now(), monotonic: performance.now() };
  if (before === undefined || now.monotonic - before.monotonic <= standstillSeconds * 1000)
    return { line: undefined, now };
  return { line: noteStandstill(tx, processId, [before.at, now.at], shortestHole), now };
}
