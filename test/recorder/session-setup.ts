import { onTestFinished } from 'vitest';

import type { Outgoing, DialectName } from '../../src/broker/connection.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import { becomeRecorder } from '../../src/db/presence/recorders.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { openRecorderSession, type RecorderSession } from '../../src/recorder/recorder-session.ts';
import { connectToMemory } from '../brokers/memory-connection.ts';
import { stopTime, turns } from '../still-time.ts';
import { destinations, type Exchange, namespace, setUp } from './setup.ts';

/** A message that others receive on a destination. */
interface Overheard {
  headers: Record<string, string>;
  body: Record<string, unknown>;
}

export interface Recorder extends Exchange {
  warnings: string[];
  open: () => Promise<RecorderSession>;
  /** Collects the messages to a destination from now on. */
  overhear: (destination: string) => Overheard[];
  /** Sends a message as another program, and waits until it is delivered. */
  tell: (
    outgoing: Pick<Outgoing, 'destination'> & { body: unknown; headers?: Record<string, string> },
  ) => Promise<void>;
}

/** A store with a running execution, and a recorder that a test can open repeatedly. */
export async function recorder(kind?: DialectName): Promise<Recorder> {
  stopTime();
  const made = await setUp(kind);
  await made.store.write((tx) => becomeRecorder(tx, namespace, registerProcess(tx, currentProcess(), '0'), () => true));
  const warnings: string[] = [];
  const connect = connectToMemory(made.broker);
  const open = async (): Promise<RecorderSession> => {
    const settings = { servers: [], heartbeatSeconds: 1 };
    const broker = connect(settings, () => {});
    await broker.connect({ once: true });
    const session = await openRecorderSession(broker, {
      store: made.store,
      namespace,
      destinations,
      settings,
      connect,
      listening: {
        broadcast: destinations.broadcast,
        layout: ['/topic/of.the.site'],
        sharedQueues: [],
        seconds: 0,
        say: () => {},
      },
      warn: (line) => warnings.push(line),
      onFault: (error) => made.faults.push(error),
    });
    onTestFinished(() => {
      made.broker.goDown();
      return session.close('none');
    });
    await turns();
    return session;
  };
  const overhear = (destination: string): Overheard[] => {
    const heard: Overheard[] = [];
    made.theirs.subscribe({
      id: `overheard ${destination}`,
      destination,
      ack: 'auto',
      only: () => ({ namespace }),
      onMessage: ({ headers, body }) =>
        heard.push({ headers: { ...headers }, body: JSON.parse(body) as Overheard['body'] }),
    });
    return heard;
  };
  const tell: Recorder['tell'] = async ({ destination, body, headers = { namespace } }) => {
    await made.theirs.send({ destination, headers, body: JSON.stringify(body) });
    await turns();
  };
  return { ...made, warnings, open, overhear, tell };
}

/** The rows of the log that arrived over the broker, by type and effect. */
export const recordedOf = ({ store }: Exchange): string[] =>
  store.db
    .prepare<[], { said: string }>(
      `SELECT message_type || ' ' || effect AS said FROM workflow_messages
       WHERE seq IN (SELECT seq FROM message_rows WHERE goes_out IS NULL AND outbox_sent_at IS NOT NULL)`,
    )
    .all()
    .map(({ said }) => said);
