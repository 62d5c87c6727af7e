/**
 * Work on items that come one by one: on those that have come meanwhile together, in order, one batch at a
 * time.
 * @param most the largest batch
 * @returns how to add an item
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
