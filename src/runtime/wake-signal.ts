/** A signal that can be given again and again; once `signal` is aborted it stays given. */
export function createNudge(signal: AbortSignal): { ring: () => void; signal: () => AbortSignal } {
  let current = new AbortController();
  signal.addEventListener('abort', () => current.abort());
  return {
    ring: () => {
      const before = current;
      if (!signal.aborted) current = new AbortController();
      before.abort();
    },
    signal: () => current.signal,
  };
}
