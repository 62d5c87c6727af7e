import type { GapLine } from './recording-lines.ts';

/** A tick this many milliseconds late means that the process was suspended. */
const stoodStill = 3000;

/**
 * If messages are delayed by this much more than the fastest ones on their connection, they are queued
 * somewhere. What was sent after the newest message may then still be queued. Milliseconds.
 */
export const lagLimit = 5000;

/** Maximum plausible error of a broker's clock; timestamps further off are ignored. Milliseconds. */
const plausibleOffset = 3_600_000;

/**
 * Tracks the time up to which messages were received, and the gaps in which none could be. The loss of a
 * silent connection is noticed late: a broker may be silent for a while, and a stopped process notices
 * nothing. Such a gap therefore begins at the last moment at which messages would certainly have been
 * received. A closed connection is noticed immediately. All times are milliseconds since 1970. Call `tick`
 * every second.
 * @param silence how long a broker may be silent before the connection counts as lost, in milliseconds
 * @returns `until`: the time up to which messages were received: now or, while messages lag, the time at
 * which the newest one was sent. `message`: call it when a message arrives, with its sending time by the
 * broker's clock, or undefined if the broker gives none. After a standstill, a message may have been queued
 * for a long time, so it proves nothing about later messages. `lost`: call it when the connection is lost;
 * the tick that notices a standstill may come later. `aliveAt`: the time up to which the connection certainly
 * delivered everything; undefined if it went silent. `gap`: the gap until now, while the connection is lost.
 * `back`: call it when the connection is restored; returns the gap that ends now, if any.
 */
export function createHearing(silence: number, began: number) {
  /** The last moment at which this process ran and its connection was known to be alive. */
  let certain = began;
  let lastTick = began;
  /** Until this time, a connection that seemed to survive a standstill may still turn out to be lost. */
  let doubtUntil = 0;
  let lastMessage = 0;
  let lostAt: { from: number; reason: string } | undefined = {
    from: began,
    reason: 'the observer was not connected yet',
  };
  /** The shortest time from a message's timestamp to its receipt, including the offset of the broker's clock. */
  let least = Infinity;
  /** The topics whose messages lag, each with the times at which its newest message was sent and arrived. */
  const behind = new Map<string, { sent: number; at: number }>();
  const noticeStandstill = (now: number) => {
    if (now - lastTick > stoodStill) doubtUntil = now + silence;
  };
  const until = (now: number) => Math.min(now, ...[...behind.values()].map(({ sent }) => sent));
  const gap = (now: number) =>
    lostAt && {
      gap: { from: new Date(lostAt.from).toISOString(), until: new Date(now).toISOString(), reason: lostAt.reason },
    };
  const tick = (now: number) => {
    noticeStandstill(now);
    lastTick = now;
    if (now >= doubtUntil) certain = now;
    // If the connection is alive and a topic has delivered nothing for a while, nothing is queued on the topic
    // any longer.
    for (const [topic, { at }] of behind) if (now - at >= silence) behind.delete(topic);
  };
  const message = (now: number, topic: string, sent?: number) => {
    noticeStandstill(now);
    if (now >= doubtUntil) lastMessage = now;
    if (sent === undefined || Math.abs(now - sent) > plausibleOffset) return;
    least = Math.min(least, now - sent);
    const left = sent + least;
    if (now - left > lagLimit) behind.set(topic, { sent: Math.max(left, behind.get(topic)?.sent ?? 0), at: now });
    else behind.delete(topic);
  };
  const lost = (reason: string, now: number, aliveAt: number | undefined) => {
    if (lostAt !== undefined) return;
    const stoodStillNow = now < doubtUntil || now - lastTick > stoodStill;
    const sure = aliveAt === undefined || stoodStillNow ? certain - silence : aliveAt;
    lostAt = { from: until(Math.max(began, lastMessage, sure)), reason };
  };
  const back = (now: number): GapLine | undefined => {
    const ended = gap(now);
    certain = now;
    lastTick = now;
    lostAt = undefined;
    doubtUntil = 0;
    behind.clear();
    // The broker's clock may have been set in the meantime, so measure the shortest delay again.
    least = Infinity;
    return ended;
  };
  return { until, tick, message, lost, gap, back };
}
