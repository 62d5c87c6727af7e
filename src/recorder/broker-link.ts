import type { BrokerConnection } from '../broker/connection.ts';
import { noteBrokerAway } from '../db/presence/recorders.ts';
import { forgiveSilence } from '../db/presence/remote-agents.ts';
import { beatSeconds, lateSeconds } from '../domain/liveness.ts';
import { utcNow } from '../lib/time.ts';
import type { Surroundings } from './surroundings.ts';

/** A recorder receives its own reports, one per beat: if two are missing, the connection is lost, long before the connection breaks. Milliseconds. */
const quietMilliseconds = 2 * beatSeconds * 1000;

const lookMilliseconds = 1000;

interface BrokerLinkOptions extends Pick<Surroundings, 'store' | 'namespace' | 'onFault'> {
  broker: Pick<BrokerConnection, 'isUp' | 'onUp'>;
  /** Whether this process sends reports, which it also receives. */
  isSpeaking: () => boolean;
}

export type BrokerLink = ReturnType<typeof createBrokerLink>;

/** Whether a recorder receives messages from its broker. While it does not, its store records that, and agents that it cannot hear do not count as gone. */
export function createBrokerLink({ store, namespace, onFault, broker, isSpeaking }: BrokerLinkOptions) {
  let heardAt = performance.now();
  let lookedAt = heardAt;
  /** Since when the link has been heard, as `performance.now()`. */
  let hearsSince = heardAt;
  /** ISO 8601. */
  let awaySince: string | undefined;

  /** Records since when nothing has been heard, and resets the silence of agents once they can be heard again. */
  function noteAway(since: string | undefined, forgiven?: string) {
    awaySince = since;
    store
      .write((tx) => {
        noteBrokerAway(tx, namespace, since);
        if (forgiven !== undefined) forgiveSilence(tx, forgiven);
      })
      .catch(onFault);
  }

  function look() {
    const now = performance.now();
    // While this process stood still it sent nothing that it could receive.
    heardAt = Math.min(now, heardAt + Math.max(0, now - lookedAt - lookMilliseconds));
    lookedAt = now;
    const quiet = now - heardAt;
    if (!isSpeaking()) heardAt = now;
    else if (broker.isUp() && quiet >= quietMilliseconds && awaySince === undefined)
      noteAway(new Date(Date.parse(utcNow()) - quiet).toISOString());
  }

  /** Call with each report of an agent or a recorder, our own too. */
  function noteHeard() {
    heardAt = performance.now();
    if (awaySince === undefined || !broker.isUp()) return;
    hearsSince = heardAt;
    // The earliest last message of an agent that may have been alive when the link was lost.
    noteAway(undefined, new Date(Date.parse(awaySince) - lateSeconds * 1000).toISOString());
  }

  const timer = setInterval(look, lookMilliseconds);
  broker.onUp(() => {
    // What was sent meanwhile arrives first: results of slices that would look overdue, then our own next report.
    if (isSpeaking()) heardAt = performance.now();
    else noteHeard();
  });
  return {
    noteHeard,
    /** Call with each message from the broker that says nothing about agents. */
    noteSign() {
      if (awaySince === undefined) heardAt = performance.now();
    },
    /** Call when the connection has broken. */
    noteBreak() {
      if (awaySince === undefined) noteAway(utcNow());
    },
    /** How long remote agents could be heard, in milliseconds; 0 while they are not. */
    hearingMilliseconds: () => (broker.isUp() && awaySince === undefined ? performance.now() - hearsSince : 0),
    close: () => clearInterval(timer),
  };
}
