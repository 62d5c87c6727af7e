import type { BrokerSettings, StompBus } from '../broker/connection.ts';
import { createStompBus } from '../broker/stomp-connection.ts';
import type { Config } from '../config/load.ts';
import { createRecorder } from '../db/log/message-writer.ts';
import { storeId } from '../db/log/numbers.ts';
import type { Store } from '../db/sqlite/open-store.ts';
import { isAlive } from '../lib/process-identity.ts';
import { createInProcessBus, type Bus } from '../messages/notifier.ts';
import { type MessageType, messageTypes } from '../messages/vocabulary.ts';
import type { Voice } from '../runtime/process-log.ts';
import { watchStore } from '../runtime/store-poller.ts';
import { createExchange, type Exchange } from './outbox.ts';

/** A process's place on the broker: connection, exchange with the log, and news of what other processes record. */
export interface Station {
  stomp: StompBus;
  exchange: Exchange;
  /** Wakes the readers of this process, whoever has recorded something. */
  bus: Bus;
  destinations: Config['broker']['destinations'];
  /** Sends what is left, for a while (a short one, where somebody waits for the end), and closes the connection. */
  close(isHurried?: boolean): Promise<void>;
}

export interface StationOptions {
  store: Store;
  config: Config;
  broker: BrokerSettings;
  voice: Voice;
}

/** How long a process that ends waits for the broker to confirm its last messages. */
const farewellMilliseconds = 30_000;

/** The same where somebody waits: what is still unsent goes out with the next process of the store. */
const hurriedMilliseconds = 1000;

/** A wait that is not worth a word. */
const quietMilliseconds = 1000;

/**
 * Connects to the broker.
 * @param patient waits for a broker that is not there yet; otherwise throws `BROKER_UNREACHABLE` or `BROKER_REFUSED`
 * @param signal ends the waiting; the promise is then never settled
 */
export async function connectStation(
  { broker, voice }: StationOptions,
  patient: boolean,
  signal?: AbortSignal,
): Promise<StompBus> {
  const stomp = createStompBus(broker, (error) => voice.warn(error.line));
  const giveUp = (): void => void stomp.close();
  signal?.addEventListener('abort', giveUp);
  await stomp.connect({ once: !patient });
  signal?.removeEventListener('abort', giveUp);
  return stomp;
}

/** Waits for the broker and begins; what fails after that must not leave a connection that keeps the process alive. */
export async function withConnection<T>(
  options: StationOptions,
  interrupted: AbortSignal,
  begin: (stomp: StompBus) => Promise<T>,
): Promise<T> {
  const stomp = await connectStation(options, true, interrupted);
  try {
    return await begin(stomp);
  } catch (error) {
    await stomp.close();
    throw error;
  }
}

/** Opens the exchange of a process that has been entered into the store. */
export async function openStation(
  stomp: StompBus,
  { store, config, broker, voice }: StationOptions,
  {
    processId,
    speaks,
    onFault,
  }: { processId: number; speaks: readonly MessageType[]; onFault: (error: unknown) => void },
): Promise<Station> {
  // Over a broker time is real or scaled, and nobody waits for everybody to be idle.
  const bus = createInProcessBus({ enter: () => {}, leave: () => {} });
  const exchange = createExchange({
    store,
    recorder: createRecorder(store.db),
    stomp,
    openListener: (clientId) => {
      const listener = createStompBus({ ...broker, clientId }, (error) => voice.warn(error.line));
      void listener.connect({ once: false });
      return listener;
    },
    durableName: durableName(await store.write(() => storeId(store.db)), config.testbed.namespace),
    namespace: config.testbed.namespace,
    processId,
    isAlive,
    speaks,
    takesResults: speaks.includes('slice'),
    destinations: config.broker.destinations,
    onRecorded: (types) => bus.announce(types),
    onStray: (executionId) =>
      voice.warn(
        `messages of ${executionId} come here, which this store does not know: another store uses namespace ${config.testbed.namespace} on this broker and loses results to it; give each store a namespace of its own`,
      ),
    onFault,
  });
  const endWatch = watchStore(store, () => {
    bus.announce(messageTypes);
    exchange.committed();
  });
  return {
    stomp,
    exchange,
    bus,
    destinations: config.broker.destinations,
    async close(isHurried = false) {
      const patience = isHurried ? hurriedMilliseconds : farewellMilliseconds;
      if (!(await exchange.flushed(quietMilliseconds))) {
        voice.warn(`the broker has not confirmed all messages; waiting up to ${patience / 1000} s for it`);
        const sent = await exchange.flushed(patience);
        if (!sent)
          voice.warn(
            'some messages are still unconfirmed; the next process of this store that hosts the agent sends them',
          );
      }
      endWatch();
      exchange.close();
      await stomp.close();
    },
  };
}

/** The client id, and the name, of a store's durable subscription. */
export const durableName = (id: string, namespace: string): string => `swf.${id}.${namespace}`;

/** The message types that each agent type says. */
export const spokenBy: Readonly<Record<string, readonly MessageType[]>> = {
  daq_simulator: ['run_imminent', 'start_run', 'stf_gen', 'pause_run', 'resume_run', 'end_run', 'workflow_ended'],
  data: ['stf_ready'],
  fastmon: ['tf_file_registered'],
  fast_processing: ['slice'],
  worker: ['slice_started', 'slice_result'],
};
