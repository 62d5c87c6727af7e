import type { GapLine } from './recording-lines.ts';

/** A tick this late means that the process stood still. Milliseconds. */
const stoodStill = 3000;

/**
 * Messages delayed by this much more than the quickest ones of their connection are queued somewhere: the time heard
 * is then that of the newest one, not now. Milliseconds.
 */
export const lagLimit = 5000;

/** No broker's clock is off by more: such a timestamp is ignored. Milliseconds. */
const plausibleOffset = 3_600_000;

/**
 * Tracks until when messages were heard, and since when none could be. The loss of a connection that fell
 * silent is noticed late: a broker may be silent for a while, and a stopped process notices nothing. So such
 * a gap begins at the last moment at which messages would certainly have been heard. A closed connection is
 * noticed at once. All times are milliseconds since 1970. Call `tick` every second.
 * @param silence how long a broker may be silent before that is noticed, in milliseconds
 * @returns `until`: until when messages were heard: now, but while messages lag, when the newest was sent.
 * `message`: one arrived; its sending time is by the broker's clock, undefined if the broker does not say.
 * After a standstill it may have been queued for long: it proves nothing about the messages behind it.
 * `lost`: the connection is gone; the tick that notices a standstill may come later. `aliveAt`: until when it
 * certainly delivered everything; undefined if it fell silent. `gap`: the gap until now, while the connection
 * is gone. `back`: the connection is back; the gap that ends now, if there was one.
 */
export function createHearing(silence: number, began: number) {
  /** The last moment at which this process ran and its connection was known to be alive. */
  let certain = began;
  let lastTick = began;
  /** Until then a connection that outlived a standstill may turn out to be lost. */
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
    // Nothing more is queued on a topic if the connection is alive and the topic delivers nothing.
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
    // The broker's clock may have been set meanwhile, so the shortest delay is measured again.
    least = Infinity;
    return ended;
  };
  return { until, tick, message, lost, gap, back };
}
