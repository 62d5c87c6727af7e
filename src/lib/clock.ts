import { pause } from './deadline.ts';

/**
 * The time of the simulated workflow in seconds from its start ("ticks"). Only the workflow's own delays
 * use this clock. Heartbeats, back-off and every `timestamp` use the wall clock.
 *
 * Work on behalf of the workflow happens between `enter()` and `leave()`. A sleeper is outside while it
 * sleeps and is inside again when its time comes. This lets virtual time know when no work is in progress.
 */
export interface Clock {
  /** Whether the clock's time is independent of the wall clock. */
  readonly isVirtual: boolean;
  now(): number;
  /** Resolves when `tick` is reached, immediately if it has passed, or early when `signal` is aborted. */
  sleepUntil(tick: number, signal: AbortSignal): Promise<void>;
  enter(): void;
  leave(): void;
}

/** The longest delay that a Node timer supports, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

/**
 * Real time (`speed` 1) or a multiple of it.
 * @param startTick the workflow's current tick: 0, or the last recorded tick of a resumed execution
 */
export function createScaledClock(speed: number, startTick = 0): Clock {
  const origin = performance.now();
  const now = () => startTick + ((performance.now() - origin) / 1000) * speed;
  const sleepUntil = async (tick: number, signal: AbortSignal) => {
    for (;;) {
      const milliseconds = ((tick - now()) / speed) * 1000;
      if (milliseconds <= 0 || signal.aborted) return;
      await pause(Math.min(Math.ceil(milliseconds), longestTimer), [signal]);
    }
  };
  return { isVirtual: false, now, sleepUntil, enter: () => {}, leave: () => {} };
}

interface Sleeper {
  tick: number;
  wake: () => void;
}

/** Virtual time: jumps to the next sleeper's tick when no work is in progress; stands still if nobody sleeps. */
export function createVirtualClock(startTick = 0): Clock {
  let now = startTick;
  let inside = 0;
  let isJumpScheduled = false;
  const sleepers: Sleeper[] = [];
  const enter = () => void (inside += 1);
  const jump = () => {
    isJumpScheduled = false;
    const next = sleepers[0]?.tick ?? Infinity;
    // A sleeper without an end time (in a run that an operator has paused) is woken by an event, not by time.
    if (inside > 0 || next === Infinity) return;
    now = Math.max(now, next);
    // All sleepers of this tick wake in one jump, in the order in which they went to sleep.
    while (sleepers[0] !== undefined && sleepers[0].tick <= now) sleepers.shift()?.wake();
  };
  const leave = () => {
    inside -= 1;
    if (inside > 0 || isJumpScheduled) return;
    isJumpScheduled = true;
    // Each turn of the event loop lets signals and wall-clock timers run, however fast the workflow is.
    setImmediate(jump);
  };
  const sleepUntil = (until: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (until <= now || signal.aborted) {
        resolve();
        return;
      }
      const wake = () => {
        signal.removeEventListener('abort', abort);
        enter();
        resolve();
      };
      const sleeper = { tick: until, wake };
      const abort = () => {
        sleepers.splice(sleepers.indexOf(sleeper), 1);
        wake();
      };
      signal.addEventListener('abort', abort);
      insert(sleepers, sleeper);
      leave();
    });
  return { isVirtual: true, now: () => now, sleepUntil, enter, leave };
}

/** Keeps the sleepers in the order of their ticks. Usually the last to go to sleep is the last to wake. */
function insert(sleepers: Sleeper[], sleeper: Sleeper) {
  let place = sleepers.length;
  while (place > 0 && (sleepers[place - 1] as Sleeper).tick > sleeper.tick) place -= 1;
  sleepers.splice(place, 0, sleeper);
}
