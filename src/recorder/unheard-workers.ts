import { noteHeard, noteUnheard } from '../db/presence/remote-agents.ts';
import type { AgentDirectory } from '../exchange/agent-directory.ts';
import type { Surroundings } from './surroundings.ts';

export interface UnheardWorkersOptions extends Pick<Surroundings, 'store' | 'warn' | 'onFault'> {
  directory: Pick<AgentDirectory, 'holderOf'>;
}

/**
 * Workers that take slices but whose reports never arrive. The broker delivers only messages with our slices' header `store_id`, so a worker of
 * another make that does not copy it works in vain.
 */
export class UnheardWorkers {
  readonly #options: UnheardWorkersOptions;
  /** Workers that have reported, and silent workers already warned about. */
  readonly #heard = new Set<string>();
  readonly #unheard = new Set<string>();

  constructor(options: UnheardWorkersOptions) {
    this.#options = options;
  }

  /** Call with slice messages that nobody holds any longer and that came to nothing. */
  noteLost(messageIds: readonly string[]): void {
    const { store, directory, warn, onFault } = this.#options;
    const holders = new Set(messageIds.map((id) => directory.holderOf(id)));
    for (const agent of holders) {
      if (agent === undefined || this.#heard.has(agent) || this.#unheard.has(agent)) continue;
      this.#unheard.add(agent);
      warn(`${agent} takes slices, but its reports on them never arrive: they must carry the slice's header store_id`);
      store.write((tx) => noteUnheard(tx, agent)).catch(onFault);
    }
  }

  /** Call when an agent has reported on a slice. */
  noteWord(agent: string): void {
    if (this.#heard.has(agent)) return;
    this.#heard.add(agent);
    this.#unheard.delete(agent);
    const { store, onFault } = this.#options;
    // An earlier recorder may have noted it, too.
    store.write((tx) => noteHeard(tx, agent)).catch(onFault);
  }
}
