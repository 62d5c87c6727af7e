/**
 * Collects items as they arrive and works on them in order, one batch at a time. Items that arrive while a
 * batch is being worked on form the next one.
 * @param most the maximum batch size
 * @returns a function that adds an item
 */
export function inBatches<T>(
  most: number,
  work: (batch: readonly T[]) => Promise<void>,
  onFault: (error: unknown) => void,
) {
  const waiting: T[] = [];
  let isWorking = false;
  async function drain() {
    isWorking = true;
    try {
      while (waiting.length > 0) {
        await new Promise(setImmediate);
        await work(waiting.splice(0, most));
      }
    } catch (error) {
      onFault(error);
    } finally {
      isWorking = false;
    }
  }
  return (item: T) => {
    waiting.push(item);
    if (!isWorking) void drain();
  };
}

/**
 * Never runs `work` twice at the same time: a call made while the work is running returns the promise of
 * the running work.
 */
export function onceAtATime(work: () => Promise<void>) {
  let underWay: Promise<void> | undefined;
  return () => (underWay ??= work().finally(() => (underWay = undefined)));
}
