import { openReader } from '../src/db/opening/open-reader.ts';
import { openStore } from '../src/db/opening/open-store.ts';
import { random } from '../src/domain/plan/v1.ts';
import { messageIdOf } from '../src/messages/identity.ts';
import type { Message } from '../src/messages/message.ts';
import { vocabulary } from '../src/messages/vocabulary.ts';
import { temporaryFolder } from '../test/folder.ts';
import { receiverOf } from '../test/receive.ts';
import { storeIn } from './cli.ts';
import { differences, outcomeIn } from './outcome.ts';

interface Delivery {
  destination: string;
  payload: string;
  sent_at: string;
}

/** Messages from one connection arrive in order; among connections, any order is possible. */
const ofDaq = new Set(['run_workflow', 'run_imminent', 'start_run', 'stf_gen', 'pause_run', 'resume_run', 'end_run']);

/** How often a message is delivered at most. */
const maxDeliveries = 3;

/** By how many positions in the log a delivery may be late. */
const latest = 400;

interface Disorder {
  seed: number;
  deliveries: number;
  /** Messages that were delivered more than once. */
  repeated: number;
  /** Messages that arrived after one that was sent after them. */
  late: number;
  lost: string[];
  added: string[];
}

/**
 * Delivers the messages of a run to an empty store: some of them two or three times, late or out of order,
 * as the seed determines. Reports where the outcome differs from the run's own.
 */
export async function disorderly(seed: number, folder: string): Promise<Disorder> {
  const said = readLog(folder);
  const order = said
    .flatMap((delivery, place) => deliveriesOf(delivery, place, seed))
    .toSorted((a, b) => a.at - b.at || a.place - b.place);
  const target = temporaryFolder();
  const store = await openStore(storeIn(target));
  const receive = receiverOf(store);
  for (let at = 0; at < order.length; at += 100) {
    await store.write((tx) => {
      for (const { delivery } of order.slice(at, at + 100))
        receive(tx, delivery.destination, delivery.payload, { isReplay: true, sentAt: delivery.sent_at });
    });
  }
  store.close();
  const { files: _, ...expected } = outcomeIn(folder);
  const { files: __, ...found } = outcomeIn(target);
  let furthest = -1;
  let late = 0;
  for (const { place } of order) {
    if (place < furthest) late += 1;
    furthest = Math.max(furthest, place);
  }
  return {
    seed,
    deliveries: order.length,
    repeated: order.length - said.length,
    late,
    ...differences(expected, found),
  };
}

function readLog(folder: string): Delivery[] {
  const db = openReader(storeIn(folder));
  const rows = db
    .prepare<[], Delivery>(`SELECT destination, payload, sent_at FROM workflow_messages ORDER BY seq`)
    .all();
  db.close();
  return rows;
}

function deliveriesOf(delivery: Delivery, place: number, seed: number) {
  const message = JSON.parse(delivery.payload) as Message;
  const id = messageIdOf(message);
  const draw = (purpose: string): number => random(seed, place, `${purpose} ${id}`);
  // The very last message is the driver's, when everything is done.
  if (message.msg_type === 'workflow_ended') return [{ delivery, place, at: Infinity }];
  const first =
    ofDaq.has(message.msg_type) || vocabulary[message.msg_type].destination === 'control'
      ? place
      : place + draw('late') * latest;
  const times = 1 + Math.floor(draw('often') ** 3 * maxDeliveries);
  return Array.from({ length: times }, (_, again) => ({
    delivery,
    place,
    at: again === 0 ? first : first + draw(`again ${again}`) * latest,
  }));
}
