import { type MessageType, messageTypes } from './bus/messages.ts';
import type { Delivery, Subscription } from './bus/stomp.ts';
import type { Recorder } from './db/record.ts';
import type { Store } from './db/store.ts';

export interface IntakeOptions {
  store: Store;
  recorder: Recorder;
  namespace: string;
  /** Told which types came in and were new. */
  onRecorded: (types: MessageType[]) => void;
  /** Told once of each execution that is heard of here and not known. */
  onStray: (executionId: string) => void;
  onFault: (error: unknown) => void;
}

/** Messages that are recorded in one transaction, and that a broker may have under way to us unacknowledged. */
const window = 256;

/** Only messages of this namespace are taken. Namespaces hold no quotes (configuration). */
export const selectorFor = (namespace: string): string => `namespace = '${namespace}'`;

/** Records what comes in, in the order of its coming, many in one transaction where many have come. */
export function createIntake({ store, recorder, namespace, onRecorded, onStray, onFault }: IntakeOptions) {
  const waiting: { destination: string; delivery: Delivery }[] = [];
  let working = false;

  const drain = async (): Promise<void> => {
    working = true;
    try {
      while (waiting.length > 0) {
        await new Promise(setImmediate);
        const batch = waiting.splice(0, window);
        const unknown = batch.filter(
          ({ delivery }) => delivery.cutFrom !== undefined || !recorder.isRecorded(delivery.body),
        );
        const types =
          unknown.length === 0
            ? []
            : await store.write(() => unknown.flatMap(({ destination, delivery }) => recordOne(destination, delivery)));
        for (const { delivery } of batch) delivery.acknowledge();
        if (types.length > 0) onRecorded(types);
      }
    } catch (error) {
      onFault(error);
    } finally {
      working = false;
    }
  };

  const strays = new Set<string>();
  /** Who works on an execution that this store does not know shares the namespace, and its queues, with another store. */
  const stray = (executionId: string): void => {
    if (strays.has(executionId)) return;
    strays.add(executionId);
    onStray(executionId);
  };

  const recordOne = (destination: string, { body, cutFrom }: Delivery): MessageType[] => {
    const tooLarge =
      cutFrom === undefined ? {} : { unreadable: `a body of ${cutFrom} bytes is too large; its beginning is kept` };
    const { isNew, effect, reason, execution_id } = recorder.recordBody(destination, body, {
      fromBroker: true,
      ...tooLarge,
    });
    if (isNew && effect === 'none' && execution_id !== undefined && reason === `unknown execution ${execution_id}`)
      stray(execution_id);
    const type = typeOf(body);
    return isNew && type !== undefined ? [type] : [];
  };

  const take = (destination: string) => (delivery: Delivery) => {
    // On a topic everybody is heard; other namespaces are none of ours.
    if ((delivery.headers['namespace'] ?? namespaceOf(delivery.body) ?? namespace) !== namespace) {
      delivery.acknowledge();
      return;
    }
    waiting.push({ destination, delivery });
    if (!working) void drain();
  };

  return {
    record: async (destination: string, delivery: Delivery): Promise<void> => {
      await store.write(() => recordOne(destination, delivery));
    },
    news: (destination: string): Subscription => ({
      id: 'news',
      destination,
      ack: 'auto',
      onMessage: take(destination),
    }),
    work: (id: string, destination: string): Subscription => ({
      id,
      destination,
      ack: 'client-individual',
      headers: { selector: selectorFor(namespace), 'activemq.prefetchSize': String(window) },
      onMessage: take(destination),
    }),
  };
}

function fieldOf(body: string, field: string): unknown {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>)[field] : undefined;
  } catch {
    return undefined;
  }
}

function namespaceOf(body: string): string | undefined {
  const value = fieldOf(body, 'namespace');
  return typeof value === 'string' ? value : undefined;
}

function typeOf(body: string): MessageType | undefined {
  const value = fieldOf(body, 'msg_type');
  return messageTypes.find((type) => type === value);
}
