import type { BrokerConnection } from '../broker/connection.ts';
import { noteBrokerAway } from '../db/presence/recorders.ts';
import { forgiveSilence } from '../db/presence/remote-agents.ts';
import { beatSeconds, lateSeconds } from '../domain/liveness.ts';
import { utcNow } from '../lib/time.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * If none of a recorder's own reports (one per heartbeat) comes back for this long, in milliseconds, the link
 * counts as lost. The connection itself would break much later.
 */
const quietMilliseconds = 2 * beatSeconds * 1000;

const lookMilliseconds = 1000;

interface BrokerLinkOptions extends Pick<Surroundings, 'store' | 'namespace' | 'onFault'> {
  broker: Pick<BrokerConnection, 'isUp' | 'onUp'>;
  /** Whether this process sends reports, which the broker also delivers back to it. */
  isSpeaking: () => boolean;
}

export type BrokerLink = ReturnType<typeof createBrokerLink>;

/**
 * Tracks whether a recorder receives messages from its broker. If it does not, the store records that, and agents
 * whose messages cannot arrive are not considered gone.
 */
export function createBrokerLink({ store, namespace, onFault, broker, isSpeaking }: BrokerLinkOptions) {
  let heardAt = performance.now();
  let lookedAt = heardAt;
  /** When messages began to arrive, as `performance.now()`. */
  let hearsSince = heardAt;
  /** When messages stopped arriving, ISO 8601; undefined while messages arrive. */
  let awaySince: string | undefined;

  /** Records when messages stopped arriving; once they arrive again, agents' silence is measured from zero. */
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
    // A suspended process sends no reports that could come back, so a suspension does not count as silence.
    heardAt = Math.min(now, heardAt + Math.max(0, now - lookedAt - lookMilliseconds));
    lookedAt = now;
    const quiet = now - heardAt;
    if (!isSpeaking()) heardAt = now;
    else if (broker.isUp() && quiet >= quietMilliseconds && awaySince === undefined)
      noteAway(new Date(Date.parse(utcNow()) - quiet).toISOString());
  }

  /** Call for each report from an agent or a recorder, including our own. */
  function noteHeard() {
    heardAt = performance.now();
    if (awaySince === undefined || !broker.isUp()) return;
    hearsSince = heardAt;
    // When messages stopped arriving, agents whose last message was at most `lateSeconds` old may have been alive.
    noteAway(undefined, new Date(Date.parse(awaySince) - lateSeconds * 1000).toISOString());
  }

  const timer = setInterval(look, lookMilliseconds);
  broker.onUp(() => {
    // Messages sent during the outage, such as results that seem overdue, arrive before our own report.
    if (isSpeaking()) heardAt = performance.now();
    else noteHeard();
  });
  return {
    noteHeard,
    /** Call for each message from the broker that is not an agent's report. */
    noteSign() {
      if (awaySince === undefined) heardAt = performance.now();
    },
    /** Call when the connection has broken. */
    noteBreak() {
      if (awaySince === undefined) noteAway(utcNow());
    },
    /** For how long messages from remote agents have been able to arrive, in milliseconds; 0 while they cannot. */
    hearingMilliseconds: () => (broker.isUp() && awaySince === undefined ? performance.now() - hearsSince : 0),
    close: () => clearInterval(timer),
  };
}
