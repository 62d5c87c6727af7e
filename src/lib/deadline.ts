/**
 * Waits for `work`, but no longer than `milliseconds`.
 * @returns what `work` gives, or `late` where the time is over first; `work` itself goes on then
 * Passes on what `work` throws in time; what it throws later is ignored.
 */
export async function withDeadline<T, Late>(work: Promise<T>, milliseconds: number, late: Late): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<Late>((resolve) => {
    timer = setTimeout(() => resolve(late), milliseconds);
  });
  // After the deadline nobody else handles a failure, and an unhandled one would end the process.
  work.catch(() => {});
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Resolves when the signal is aborted, at once where it is already.
 * @param until aborted when nobody waits any more; the promise is never settled then
 */
export function aborted(signal: AbortSignal, until?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const listening = until === undefined ? { once: true } : { once: true, signal: until };
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), listening);
  });
}

/** Resolves after a time, or as soon as one of the signals is aborted. Nothing is left on signals that live on. */
export function pause(milliseconds: number, signals: readonly AbortSignal[] = []): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    for (const signal of signals) signal.addEventListener('abort', end);
    if (signals.some(({ aborted: isOver }) => isOver)) end();
  });
}
