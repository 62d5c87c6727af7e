import type { Store } from '../db/opening/store.ts';
import { noteHeard, noteUnheard } from '../db/presence/remote-agents.ts';
import type { AgentDirectory } from '../exchange/agent-directory.ts';

export interface UnheardWorkersOptions {
  store: Store;
  directory: Pick<AgentDirectory, 'holderOf'>;
  warn: (message: string) => void;
  onFault: (error: unknown) => void;
}

/**
 * Workers that take slices and whose words about them never arrive. The broker hands us what carries the header `store_id` of our slices, so a worker of
 * another make that does not copy it works in vain.
 */
export class UnheardWorkers {
  readonly #options: UnheardWorkersOptions;
  /** Those that have said something, and those that have not and were told of. */
  readonly #heard = new Set<string>();
  readonly #unheard = new Set<string>();

  constructor(options: UnheardWorkersOptions) {
    this.#options = options;
  }

  /** These slice messages are in nobody's hand any more, and nothing came of them. */
  noteLost(messageIds: readonly string[]): void {
    const { store, directory, warn, onFault } = this.#options;
    const holders = new Set(messageIds.map((id) => directory.holderOf(id)));
    for (const agent of holders) {
      if (agent === undefined || this.#heard.has(agent) || this.#unheard.has(agent)) continue;
      this.#unheard.add(agent);
      warn(
        `${agent} takes slices, and nothing that it says of them arrives: its words must carry the slice's header store_id`,
      );
      store.write((tx) => noteUnheard(tx, agent)).catch(onFault);
    }
  }

  /** An agent has said something of a slice. */
  noteWord(agent: string): void {
    if (this.#heard.has(agent)) return;
    this.#heard.add(agent);
    this.#unheard.delete(agent);
    const { store, onFault } = this.#options;
    // An earlier recorder may have noted it, too.
    store.write((tx) => noteHeard(tx, agent)).catch(onFault);
  }
}
