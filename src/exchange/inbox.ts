import type { Delivery, Subscription } from '../broker/connection.ts';
import type { Recorder } from '../db/log/message-writer.ts';
import type { Store } from '../db/sqlite/open-store.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import { type DestinationName, type MessageType, messageTypes, vocabulary } from '../messages/vocabulary.ts';

type Destinations = Readonly<Record<DestinationName, string>>;

export interface IntakeOptions {
  store: Store;
  recorder: Recorder;
  namespace: string;
  destinations: Destinations;
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

interface Incoming {
  destination: string;
  delivery: Delivery;
  /** Why it is refused, where that is known already. */
  refusal?: string | undefined;
}

/** Records what comes in, in the order of its coming, many in one transaction where many have come. */
export function createIntake({
  store,
  recorder,
  namespace,
  destinations,
  onRecorded,
  onStray,
  onFault,
}: IntakeOptions) {
  const waiting: Incoming[] = [];
  let working = false;

  const drain = async (): Promise<void> => {
    working = true;
    try {
      while (waiting.length > 0) {
        await new Promise(setImmediate);
        const batch = waiting.splice(0, window);
        const fresh = batch.filter(
          ({ delivery }) => delivery.cutFrom !== undefined || !recorder.isRecorded(delivery.body),
        );
        const types = fresh.length === 0 ? [] : await recordAll(fresh);
        for (const { delivery } of batch) delivery.acknowledge();
        if (types.length > 0) onRecorded(types);
      }
    } catch (error) {
      onFault(error);
    } finally {
      working = false;
    }
  };

  /** In one transaction; where a message breaks that, each in one of its own, and the one that breaks it as rejected. */
  const recordAll = async (batch: readonly Incoming[]): Promise<MessageType[]> => {
    try {
      return await store.write(() => batch.flatMap(recordOne));
    } catch (error) {
      if (error instanceof SwfError) throw error;
    }
    const types: MessageType[] = [];
    for (const incoming of batch) {
      try {
        types.push(...(await store.write(() => recordOne(incoming))));
      } catch (error) {
        if (error instanceof SwfError) throw error;
        const unreadable = `cannot be recorded: ${messageOf(error)}`;
        await store.write(() =>
          recorder.recordBody(incoming.destination, incoming.delivery.body, { fromBroker: true, unreadable }),
        );
      }
    }
    return types;
  };

  const strays = new Set<string>();
  /** Who works on an execution that this store does not know shares the namespace, and its queues, with another store. */
  const stray = (executionId: string): void => {
    if (strays.has(executionId)) return;
    strays.add(executionId);
    onStray(executionId);
  };

  const recordOne = (incoming: Incoming): MessageType[] => {
    const { destination, delivery } = incoming;
    const unreadable = refusalOf(incoming, destinations);
    const circumstances = { fromBroker: true, ...(unreadable === undefined ? {} : { unreadable }) };
    const {
      isNew,
      effect,
      reason,
      execution_id,
      released = [],
    } = recorder.recordBody(destination, delivery.body, circumstances);
    if (isNew && effect === 'none' && execution_id !== undefined && reason === `unknown execution ${execution_id}`)
      stray(execution_id);
    const type = typeOf(delivery.body);
    return isNew && type !== undefined ? [type, ...released] : [];
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
    record: async (destination: string, delivery: Delivery, refusal?: string): Promise<void> => {
      await recordAll([{ destination, delivery, refusal }]);
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

/** Why a message is not read: a control message counts on the control queue only, and so for the others. */
function refusalOf({ destination, delivery, refusal }: Incoming, destinations: Destinations): string | undefined {
  if (refusal !== undefined) return refusal;
  if (delivery.cutFrom !== undefined) return `a body of ${delivery.cutFrom} bytes is too large; its beginning is kept`;
  const type = typeOf(delivery.body);
  if (type === undefined) return undefined;
  const right = destinations[vocabulary[type].destination];
  return right === destination ? undefined : `${type} is taken from ${right}, and came on ${destination}`;
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
