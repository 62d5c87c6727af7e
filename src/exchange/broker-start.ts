import type { BrokerConnection, BrokerSettings, Connect } from '../broker/connection.ts';
import type { SwfError } from '../lib/errors.ts';
import type { Monitor } from './monitor-agents.ts';

/** How a process connects to its broker. */
export interface BrokerChoice {
  settings: BrokerSettings;
  connect: Connect;
  /** How it checks for foreign programs before it begins. */
  listening: Listening;
}

/** The check for foreign programs in a namespace (`namespace-guard.ts`). */
export interface Listening {
  broadcast: string;
  /** Topics of the site's layout to listen to as well. */
  layout: readonly string[];
  /** Keys of `[broker.destinations]` whose queues the existing testbed reads too. */
  sharedQueues: readonly string[];
  /** Depends on the layout if left out. */
  seconds: number | undefined;
  /** Also queried for live agents, if known. */
  monitor?: Monitor | undefined;
  /** Prints for the operator that it listens. */
  say: (line: string) => void;
}

export interface ConnectOptions {
  /** Waits for a broker that is not there yet; otherwise throws `BROKER_UNREACHABLE` or `BROKER_REFUSED`. */
  patient: boolean;
  /** Ends the wait; the promise is then never settled. */
  signal?: AbortSignal | undefined;
  /** Called at each break and each failed try. */
  onTrouble: (error: SwfError) => void;
}

/** @param prepare subscribes before the connection is made */
export async function connectToBroker(
  { settings, connect }: Pick<BrokerChoice, 'settings' | 'connect'>,
  { patient, signal, onTrouble }: ConnectOptions,
  prepare?: (broker: BrokerConnection) => void,
): Promise<BrokerConnection> {
  const broker = connect(settings, onTrouble);
  prepare?.(broker);
  const giveUp = () => void broker.close();
  signal?.addEventListener('abort', giveUp);
  // Waiting does not fix a wrong password.
  await broker.connect({ once: !patient, mayBeRefused: false });
  signal?.removeEventListener('abort', giveUp);
  return broker;
}
