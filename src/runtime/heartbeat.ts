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

/** A time in milliseconds, by the clock used in messages and by a monotonic clock. */
interface Moment {
  at: number;
  monotonic: number;
}

/**
 * Heartbeats farther apart than this show that a process stood still or could not write. Even on a busy
 * machine, heartbeats are not delayed this long.
 */
const standstillSeconds = beatSeconds + 10;

/** The shortest time without messages, in seconds, that counts as a gap. */
const shortestHole = 10;

/** Heartbeats of a process and of the agents that it hosts. */
export function createHeartbeat(store: Store, processId: number, agents: string[], warn: (message: string) => void) {
  /** The execution that each agent has worked on since the last heartbeat. */
  const worked = new Map<string, string>();
  let missed = 0;
  /** When the latest heartbeat was written. */
  let written: Moment | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** The heartbeat that is being written: the process's last heartbeat must come after it. */
  let beating = Promise.resolve();

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
      // A single failure may be the first sign of a fault that is reported anyway, so warn only at the second
      // failure in a row.
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
    /** Records that an agent has worked: the next heartbeat reports it as PROCESSING. */
    sawWork: (agent: string, executionId: string) => void worked.set(agent, executionId),
    /**
     * Records the work that an agent currently does not accept. If the store cannot be written, the heartbeats
     * report the failure.
     */
    noteOffDuty: (agent: string, kinds: readonly OffDuty[]) =>
      void store.write((tx) => recordOffDuty(tx, agent, kinds)).catch(() => {}),
    start() {
      beat();
      timer = setInterval(beat, beatSeconds * 1000);
    },
    /** Writes the last heartbeat, which records that this process has ended. */
    async end(ended: ProcessEnd) {
      clearInterval(timer);
      await beating;
      await record((tx) => recordEnd(tx, processId, ended));
    },
  };
}

/**
 * Records a standstill if more time than usual has passed since the latest heartbeat. The write may have been
 * delayed, so the time of the transaction is used.
 */
function standstill(tx: Transaction, processId: number, before: Moment | undefined) {
  const now = { at: steadyClock().now(), monotonic: performance.now() };
  if (before === undefined || now.monotonic - before.monotonic <= standstillSeconds * 1000)
    return { line: undefined, now };
  return { line: noteStandstill(tx, processId, [before.at, now.at], shortestHole), now };
}
