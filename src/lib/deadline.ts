/**
 * Waits for `work`, but no longer than `milliseconds`. Rethrows an error from `work` that occurs in time, and
 * ignores a later one.
 * @returns the result of `work`, or `late` if the time runs out first; `work` itself then continues
 */
export async function withDeadline<T, Late>(work: Promise<T>, milliseconds: number, late: Late): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<Late>((resolve) => {
    timer = setTimeout(() => resolve(late), milliseconds);
  });
  // After the deadline, nothing else handles a failure, and an unhandled failure would end the process.
  work.catch(() => {});
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Calls `work` with a signal that is aborted when the given one is, or with a `TimeoutError` when the time
 * runs out. Node 20 loses an `AbortSignal.timeout` that only `AbortSignal.any` refers to.
 */
export function inTime<T>(
  milliseconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const end = () => late.abort(new DOMException(`no answer in ${milliseconds / 1000} s`, 'TimeoutError'));
  const timer = setTimeout(end, milliseconds);
  return work(AbortSignal.any([signal, late.signal])).finally(() => clearTimeout(timer));
}

/** Resolves when the signal is aborted, immediately if it already is. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Resolves after a time, or as soon as one of the signals is aborted. Leaves no listeners on the signals. */
export const pause = (milliseconds: number, signals: readonly AbortSignal[] = []): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    for (const signal of signals) signal.addEventListener('abort', end);
    if (signals.some(({ aborted: isOver }) => isOver)) end();
  });
