/** Limits how often something is done: at most `most` times in a span, and not before the time that `wait` gives. @param span milliseconds */
export function createRateLimit(most: number, span: number) {
  const times: number[] = [];
  return {
    /** Milliseconds until the next time is allowed. @param now milliseconds of any one clock */
    wait(now: number): number {
      const [oldest = -Infinity] = times.slice(-most);
      return times.length < most ? 0 : Math.max(0, oldest + span - now);
    },
    /** Counts one event. @param now in milliseconds */
    note(now: number): void {
      times.push(now);
      times.splice(0, times.length - most);
    },
  };
}
