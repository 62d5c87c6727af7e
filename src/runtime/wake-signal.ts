/** A signal that can be rung again and again. Once `ended` is aborted, it stays aborted. */
export function createWakeSignal(ended: AbortSignal) {
  let current = new AbortController();
  ended.addEventListener('abort', () => current.abort());
  return {
    /** Aborted at the next ring. */
    signal: () => current.signal,
    ring(): void {
      const before = current;
      if (!ended.aborted) current = new AbortController();
      before.abort();
    },
  };
}

export type WakeSignal = ReturnType<typeof createWakeSignal>;
