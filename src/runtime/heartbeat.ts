import { beat } from '../db/presence/agent-registry.ts';
import { beatSeconds } from '../db/presence/leases.ts';
import type { Store } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import type { AgentState } from '../domain/states.ts';
import { messageOf } from '../lib/errors.ts';
import type { Log } from '../lib/logger.ts';

/** Heart-beats of this process and of the agents that it hosts. */
export interface Presence {
  /** An agent has worked: it is PROCESSING until the next beat finds it idle. */
  sawWork(agent: string, executionId?: string): void;
  start(): void;
  /** The last beat: everybody here has ended in order. */
  end(): Promise<void>;
}

export function createPresence(store: Store, log: Log, processId: number, agents: readonly string[]): Presence {
  const sql = preparer(store.db);
  const worked = new Set<string>();
  let working: string | undefined;
  let missed = 0;
  let timer: NodeJS.Timeout | undefined;
  const beatAll = async (stateOf: (name: string) => AgentState): Promise<void> => {
    const states = new Map(agents.map((name) => [name, stateOf(name)]));
    worked.clear();
    try {
      await store.write(() => beat(sql, processId, states, working));
      missed = 0;
    } catch (error) {
      missed += 1;
      // One that is missed may be the first sign of a fault that is told anyway; one after another is worth a word, once.
      if (missed === 2) log.write({ level: 'WARNING', message: `heart-beats are not recorded: ${messageOf(error)}` });
    }
  };
  // The last beat must not be overtaken by one that waits for the store.
  let beating: Promise<void> = Promise.resolve();
  const beatNow = (): void => {
    beating = beatAll((name) => (worked.has(name) ? 'PROCESSING' : 'READY'));
  };
  return {
    sawWork(agent, executionId) {
      worked.add(agent);
      working = executionId ?? working;
    },
    start() {
      beatNow();
      timer = setInterval(beatNow, beatSeconds * 1000);
    },
    async end() {
      clearInterval(timer);
      await beating;
      await beatAll(() => 'EXITED');
    },
  };
}
