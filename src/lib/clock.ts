/**
 * The time of the simulated workflow, in seconds from its start ("ticks"). Only the workflow's own delays run on it;
 * heart-beats, back-off and every `timestamp` use the wall clock.
 *
 * Whoever works on behalf of the workflow is inside `enter()`…`leave()`. A sleeper is not inside while it sleeps and is
 * inside again when its time comes. That is how virtual time knows when nothing is in work.
 */
export interface Clock {
  now(): number;
  /** Resolves when `tick` is reached, or at once when it has passed; resolves early when `signal` is aborted. */
  sleepUntil(tick: number, signal: AbortSignal): Promise<void>;
  enter(): void;
  leave(): void;
}

/** Longest delay that a Node timer keeps. */
const longestTimer = 2 ** 31 - 1;

/**
 * Real time (`speed` 1) or a multiple of it.
 * @param startTick where the workflow's time stands now: 0, or the last recorded tick of an execution that goes on.
 */
export function createScaledClock(speed: number, startTick = 0): Clock {
  const origin = performance.now();
  const now = (): number => startTick + ((performance.now() - origin) / 1000) * speed;
  const sleepUntil = (tick: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      let timer: NodeJS.Timeout;
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const wait = (): void => {
        const milliseconds = ((tick - now()) / speed) * 1000;
        if (milliseconds <= 0 || signal.aborted) done();
        else timer = setTimeout(wait, Math.min(Math.ceil(milliseconds), longestTimer));
      };
      signal.addEventListener('abort', done);
      wait();
    });
  return { now, sleepUntil, enter: () => {}, leave: () => {} };
}

interface Sleeper {
  tick: number;
  wake: () => void;
}

/**
 * Virtual time: jumps to the next sleeper when nobody is inside. With no sleeper it stands still until somebody enters.
 * The jump waits for a turn of the event loop, so that signals and timers of the wall clock are served however fast it runs.
 */
export function createVirtualClock(startTick = 0): Clock {
  let tick = startTick;
  let inside = 0;
  let scheduled = false;
  const sleepers: Sleeper[] = [];

  const jump = (): void => {
    scheduled = false;
    const next = sleepers[0]?.tick ?? Infinity;
    // Who waits without end (a run paused by an operator) is woken by an event, not by time.
    if (inside > 0 || next === Infinity) return;
    tick = Math.max(tick, next);
    // Everybody whose time it is wakes in the same jump, in the order of their going to sleep.
    while (sleepers[0] !== undefined && sleepers[0].tick <= tick) sleepers.shift()?.wake();
  };
  const enter = (): void => {
    inside += 1;
  };
  const leave = (): void => {
    inside -= 1;
    if (inside > 0 || scheduled) return;
    scheduled = true;
    setImmediate(jump);
  };
  const insert = (sleeper: Sleeper): void => {
    let low = 0;
    let high = sleepers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sleepers[middle] as Sleeper).tick <= sleeper.tick) low = middle + 1;
      else high = middle;
    }
    sleepers.splice(low, 0, sleeper);
  };
  const sleepUntil = (until: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (until <= tick || signal.aborted) {
        resolve();
        return;
      }
      const wake = (): void => {
        signal.removeEventListener('abort', abort);
        enter();
        resolve();
      };
      const sleeper = { tick: until, wake };
      const abort = (): void => {
        sleepers.splice(sleepers.indexOf(sleeper), 1);
        wake();
      };
      signal.addEventListener('abort', abort);
      insert(sleeper);
      leave();
    });
  return { now: () => tick, sleepUntil, enter, leave };
}
