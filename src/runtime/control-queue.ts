import type { Delivery } from '../broker/connection.ts';
import { fieldOf } from '../messages/codec.ts';
import type { Host } from './host.ts';
import { identifyRequest } from './request-id.ts';

const subscription = 'control';

/** How long a request for another store is kept before it goes back, in milliseconds. */
const passMilliseconds = 500;

const isFor = (storeId: string, { headers }: Delivery): boolean =>
  headers['store_id'] === undefined || headers['store_id'] === storeId;

/** Listens to the control queue of a namespace, for this store's requests and those for any. Returns how to end it. */
export function listenToControl(host: Host, onMessage: (delivery: Delivery) => void): () => void {
  const { recorder, options } = host;
  const { namespace } = options.config.testbed;
  recorder.broker.subscribe({
    id: subscription,
    destination: recorder.destinations.control,
    ack: 'each',
    only: () => ({ namespace, store: recorder.storeId }),
    prefetch: 1,
    onMessage: (delivery) => {
      if (isFor(recorder.storeId, delivery)) onMessage(delivery);
      // A broker that cannot choose hands it to us all the same. It goes back slowly: not to spin.
      else setTimeout(() => delivery.giveBack(), passMilliseconds);
    },
  });
  return () => recorder.broker.unsubscribe(subscription);
}

/** A run drives its own execution and starts no other. Requests to stop, pause or go on are recorded for its driver. */
export function recordControl(host: Host): () => void {
  const { recorder, lifetime, store, options } = host;
  const take = async (delivery: Delivery): Promise<void> => {
    const { isTaken, isGuess } = identifyRequest(store.sql, options.config.testbed.namespace, delivery);
    // A service that was killed has taken it.
    if (isTaken && !isGuess) {
      delivery.acknowledge();
      return;
    }
    const isStart = fieldOf(delivery.decoded, 'msg_type') === 'run_workflow';
    const refusal =
      'this namespace is recorded by a run, which starts no other; "swf-mcp agent daq_simulator" takes requests';
    await recorder.record(recorder.destinations.control, delivery, isStart ? refusal : undefined);
    delivery.acknowledge();
    recorder.notifier.announce(['stop_workflow', 'pause_workflow', 'resume_workflow']);
  };
  return listenToControl(host, (delivery) => void take(delivery).catch((error: unknown) => lifetime.fail(error)));
}
