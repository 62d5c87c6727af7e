import { setImmediate as nextTurn } from 'node:timers/promises';

import type { LogLine } from '../lib/logger.ts';
import { type Agent, type ExecutionContext, typesRead, handlePatiently } from './agent.ts';
import type { Journal, LoggedMessage } from './ports.ts';

/** How many log messages to read at a time; a small number, so that no queue grows in memory. */
const batchSize = 256;

/** How far a consumer has read in the log, or in the list of messages that took effect late. */
interface Place {
  /** The name of the cursor. */
  role: string;
  /** The recorded cursor, which is moved only by steps. */
  cursor: number;
  /**
   * The highest sequence number that this process has read. It may be ahead of the cursor, which does not move
   * for messages without consequences.
   */
  seen: number;
  /** Number of messages without consequences since the cursor moved. */
  skipped: number;
}

/**
 * Lets an agent read the log after its cursor until the execution is stopped, or, once the execution drains, to
 * the end of the log. Each message and its consequences form one step. Throws `AgentFailure` if the agent keeps
 * failing on a message, `DATA_UNAVAILABLE` if the disk fails, and the errors of `Journal.step`.
 */
export async function consumeLog(agent: Agent, name: string, execution: ExecutionContext) {
  const { notifier, lifetime, journal } = execution;
  const { draining, stopped } = lifetime;
  const { type, reads } = agent;
  const types = typesRead(agent);
  const who = { agent, name };
  const place = placeOf(journal, type);
  const latePlace = placeOf(journal, `${type}/late`);
  while (!stopped.aborted) {
    const mark = notifier.mark(types);
    // Checked before reading the log, so that everything recorded before the drain is read.
    const isLast = draining.aborted;
    const batch = journal.read(reads, place.seen, batchSize);
    place.seen = batch.seen;
    await take(batch.messages, place, who, execution);
    const late = journal.readLate(reads, latePlace.seen, batchSize);
    latePlace.seen = late.seen;
    await take(late.messages, latePlace, who, execution);
    const most = Math.max(batch.messages.length, late.messages.length);
    if (isLast && most === 0) return;
    if (most < batchSize && !draining.aborted) await notifier.news(draining, types, mark);
    else await nextTurn();
  }
}

function placeOf(journal: Journal, role: string) {
  const cursor = journal.cursor(role);
  return { role, cursor, seen: cursor, skipped: 0 };
}

/**
 * Handles messages in order. Each step starts from the cursor that the previous step sets, so if a step is
 * refused, the steps after it are refused too. Steps are awaited together, so that they share commits.
 */
async function take(
  messages: readonly LoggedMessage[],
  place: Place,
  who: { agent: Agent; name: string },
  { journal, lifetime, clock, agent }: ExecutionContext,
) {
  const steps: Promise<boolean>[] = [];
  let hasFailed = false;
  try {
    for (const { seq, message } of messages) {
      if (lifetime.stopped.aborted || hasFailed) break;
      if (seq <= place.cursor) continue;
      const logs: LogLine[] = [];
      const says = await handlePatiently(who, message, agent, logs);
      place.skipped += 1;
      // While messages have no consequences, the cursor may lag behind: reading them again does nothing.
      if (says.length === 0 && logs.length === 0 && place.skipped < batchSize) continue;
      const cursor = { role: place.role, from: place.cursor, to: seq };
      place.cursor = seq;
      place.skipped = 0;
      const recording = journal.step({ sender: who.name, tick: clock.now(), says, logs, cursor });
      // Awaited below; until then, a failure must not count as unhandled.
      recording.catch(() => {
        hasFailed = true;
      });
      steps.push(recording);
    }
  } finally {
    // Submitted steps are recorded, whatever happens to the messages after them.
    const recorded = await Promise.all(steps);
    // A refused step means that another process is doing the same work and has already done this part.
    if (recorded.includes(false)) place.cursor = place.seen = journal.cursor(place.role);
  }
}
