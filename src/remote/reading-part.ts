import { readingAgents } from '../agents/registry.ts';
import { roleSubscription } from '../exchange/wire.ts';
import { aborted, withDeadline } from '../lib/deadline.ts';
import type { Part, Surroundings } from './part.ts';
import { ReadingAgent } from './reading-agent.ts';

/** The most messages of the durable subscription in flight. */
const window = 256;

/** How long to wait for the work in hand at the end, in milliseconds. */
const lastMessagesMilliseconds = 5000;

/** A remote agent that reads broadcasts. While no agent of its type is connected, broadcasts are kept for the next one. */
export function createReadingPart(type: 'data' | 'fastmon', around: Surroundings): Part {
  const agent = readingAgents.find((candidate) => candidate.type === type);
  if (agent === undefined) throw new Error(`no agent reads as ${type}`);
  const { namespace, destinations, broker, agentLog, lifetime, offDuty } = around;
  const reader = new ReadingAgent({ ...around, agent });
  return {
    report: () => ({ in_hand: reader.inHand, free_slots: lifetime.draining.aborted ? 0 : 1, off_duty: offDuty.list() }),
    waits: () => reader.hasUnheard,
    async run() {
      const durableName = roleSubscription(namespace, type);
      const settings = { ...broker.settings, clientId: durableName };
      const listener = broker.connect(settings, (error) => agentLog.warn(error.line));
      listener.subscribe({
        id: 'durable',
        destination: destinations.broadcast,
        ack: 'each',
        only: () => ({ namespace }),
        prefetch: window,
        durableName,
        onMessage: (delivery) => reader.take(delivery),
      });
      void listener.connect({ once: false });
      await aborted(lifetime.draining);
      await withDeadline(reader.settled(), lastMessagesMilliseconds, undefined);
      await listener.close();
    },
  };
}
