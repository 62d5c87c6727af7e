import { noteHeard, noteUnheard } from '../db/presence/remote-agents.ts';
import type { Surroundings } from './surroundings.ts';

type UnheardWorkersOptions = Pick<Surroundings, 'store' | 'directory' | 'warn' | 'onFault'>;

/**
 * Workers that take slices but whose reports never arrive. The broker delivers only messages with our slices' header `store_id`, so a worker of
 * another make that does not copy it works in vain.
 */
export function createUnheardWorkers({ store, directory, warn, onFault }: UnheardWorkersOptions) {
  /** Workers that have reported. */
  const heard = new Set<string>();
  /** Silent workers already warned about. */
  const unheard = new Set<string>();
  return {
    /** Call with slice messages that nobody holds any longer and that came to nothing. */
    noteLost(messageIds: readonly string[]): void {
      const holders = new Set(messageIds.map((id) => directory.holderOf(id)));
      for (const agent of holders) {
        if (agent === undefined || heard.has(agent) || unheard.has(agent)) continue;
        unheard.add(agent);
        warn(
          `${agent} takes slices, but its reports on them never arrive: they must carry the slice's header store_id`,
        );
        store.write((tx) => noteUnheard(tx, agent)).catch(onFault);
      }
    },
    /** Call when an agent has reported on a slice. */
    noteWord(agent: string): void {
      if (heard.has(agent)) return;
      heard.add(agent);
      unheard.delete(agent);
      // An earlier recorder may have noted it, too.
      store.write((tx) => noteHeard(tx, agent)).catch(onFault);
    },
  };
}
