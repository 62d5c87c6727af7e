import type { BrokerConnection, BrokerSettings, Connect } from '../broker/connection.ts';
import type { SwfError } from '../lib/errors.ts';
import type { Monitor } from './monitor-agents.ts';

/** How a process connects to its broker. */
export interface BrokerChoice {
  settings: BrokerSettings;
  connect: Connect;
  /** How the process checks for foreign programs before it starts. */
  listening: Listening;
}

/** The check for foreign programs in a namespace (`namespace-guard.ts`). */
export interface Listening {
  broadcast: string;
  /** Additional topics to listen to, from the site's layout. */
  layout: readonly string[];
  /** Keys of `[broker.destinations]` whose queues the existing testbed reads too. */
  sharedQueues: readonly string[];
  /** Seconds to listen; if undefined, the number depends on the layout. */
  seconds: number | undefined;
  /** The testbed's monitor, if known. It is also asked which agents are alive. */
  monitor?: Monitor | undefined;
  /** Informs the operator that the process is listening. */
  say: (line: string) => void;
}

export interface ConnectOptions {
  /**
   * If true, waits for a broker that cannot be reached yet; if false, throws `BROKER_UNREACHABLE` or
   * `BROKER_REFUSED`.
   */
  patient: boolean;
  /** Ends the wait; the returned promise then never settles. */
  signal?: AbortSignal | undefined;
  /** Called each time the connection breaks or an attempt to connect fails. */
  onTrouble: (error: SwfError) => void;
}

/** @param prepare subscribes before the connection is made */
export async function connectToBroker(
  { settings, connect }: Pick<BrokerChoice, 'settings' | 'connect'>,
  { patient, signal, onTrouble }: ConnectOptions,
  prepare?: (broker: BrokerConnection) => void,
) {
  const broker = connect(settings, onTrouble);
  prepare?.(broker);
  const giveUp = () => void broker.close();
  signal?.addEventListener('abort', giveUp);
  // Waiting does not fix a wrong password.
  await broker.connect({ once: !patient, mayBeRefused: false });
  signal?.removeEventListener('abort', giveUp);
  return broker;
}
