import type { BrokerConnection } from '../broker/connection.ts';
import type { Store } from '../db/opening/store.ts';
import type { AgentDirectory } from '../exchange/agent-directory.ts';
import type { ExecutionViews } from '../exchange/execution-views.ts';
import type { Destinations } from '../messages/destinations.ts';
import type { Notifier } from '../messages/notifier.ts';

/** What every part of a recorder needs. */
export interface Basics {
  store: Store;
  /** The namespace that the recorder records. */
  namespace: string;
  storeId: string;
  destinations: Destinations;
  onFault: (error: unknown) => void;
}

/** The basics, and what only some parts of the recorder need. */
export interface Surroundings extends Basics {
  broker: BrokerConnection;
  /** The agents of other processes. */
  directory: AgentDirectory;
  views: ExecutionViews;
  notifier: Notifier;
  warn: (message: string) => void;
}

/** Forgets the messages of an execution that are not in `kept`. @param known what is known, by message id */
export function forgetMessages(
  known: Map<string, unknown>,
  executionId: string,
  kept: ReadonlySet<string> = new Set(),
) {
  for (const id of known.keys()) if (id.startsWith(`${executionId}/`) && !kept.has(id)) known.delete(id);
}
