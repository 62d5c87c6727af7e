import type { Delivery } from '../../src/broker/connection.ts';
import type { MessageType } from '../../src/messages/vocabulary.ts';
import { createInbox } from '../../src/recorder/inbox.ts';
import { destinations, type Exchange, execution_id, namespace, setUp } from './setup.ts';

/** An inbox that listens on the topic and on the queue of results, and a wait for the next types that it records. */
export function listen({ store, ours, faults }: Exchange) {
  const strays: string[] = [];
  const noted: string[] = [];
  /** Of each start of a slice, whether its attempt had ended before. */
  const begun: boolean[] = [];
  const recorded: MessageType[] = [];
  const told: MessageType[][] = [];
  let wake = (): void => {};
  const inbox = createInbox({
    store,
    namespace,
    destinations,
    onRecorded(types) {
      told.push(types);
      recorded.push(...types);
      wake();
    },
    onStray: (id) => strays.push(id),
    onHeard: () => noted.push('heard'),
    onBroadcast: () => noted.push('broadcast'),
    onMessage({ msg_type }, { isNew, wasOver }) {
      noted.push(`${isNew ? 'new ' : ''}${msg_type}`);
      if (msg_type === 'slice_started') begun.push(wasOver);
    },
    onFault: (error) => faults.push(error),
  });
  ours.subscribe(inbox.unmarked(destinations.broadcast));
  ours.subscribe(inbox.work('broadcast', destinations.broadcast));
  ours.subscribe(inbox.work('results', destinations.results));
  const next = (count: number): Promise<void> =>
    new Promise((resolve) => {
      wake = () => (recorded.length >= count ? resolve() : undefined);
      wake();
    });
  return { inbox, strays, noted, begun, recorded, told, next };
}

const body = (msg_type: string, fields: object): string =>
  JSON.stringify({ msg_type, sender: 'daq-1', namespace, execution_id, run_id: '100010', ...fields });

const fieldsOf = (sequence: number) => ({
  filename: `swf.100010.${String(sequence).padStart(6, '0')}.stf`,
  sequence,
  tf_count: 100,
});

export const stf = (sequence: number): string => body('stf_ready', fieldsOf(sequence));

/** The same with STF files that the DAQ simulator has announced. */
export async function setUpWithFiles(): Promise<Exchange> {
  const made = await setUp();
  await made.store.write((tx) => {
    for (const sequence of [1, 2, 3])
      made.store.messages.record(tx, {
        msg_type: 'stf_gen',
        sender: 'daq-1',
        namespace,
        execution_id,
        run_id: '100010',
        ...fieldsOf(sequence),
      });
  });
  return made;
}

export const rows = ({ store }: Exchange): unknown[] =>
  store.db
    .prepare('SELECT message_type AS type, effect, effect_code AS code FROM workflow_messages WHERE seq > 6')
    .all();

/** A message as a broker delivers it. */
export const delivery = (text: string, acknowledge = (): void => {}, headers = { namespace }): Delivery => ({
  id: undefined,
  headers,
  body: text,
  bytes: Buffer.from(text),
  size: text.length,
  isWhole: true,
  acknowledge,
  giveBack: () => {},
  lost: new AbortController().signal,
});
