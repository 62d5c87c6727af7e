import { expect, it } from 'vitest';

import { connectGuarded } from '../../src/exchange/namespace-guard.ts';
import { MemoryBroker } from '../brokers/memory-broker.ts';
import { connectToMemory } from '../brokers/memory-connection.ts';

/** What is said to the operator of a process that begins where nobody is heard. */
async function saidWhere({
  layout = [],
  isKnown = false,
}: {
  layout?: string[];
  isKnown?: boolean;
}): Promise<string[]> {
  const said: string[] = [];
  const choice = {
    settings: { servers: [], heartbeatSeconds: 1 },
    connect: connectToMemory(new MemoryBroker()),
    listening: {
      broadcast: '/topic/epictopic',
      layout,
      sharedQueues: [],
      seconds: 0.02,
      say: (line: string) => void said.push(line),
    },
  };
  const broker = await connectGuarded(choice, { patient: false, onTrouble: () => {}, namespace: 'mine', isKnown });
  await broker.close();
  return said.filter((line) => line.startsWith('WARNING'));
}

it('a process that hears no other program warns about idle ones, and says how to rule them out', async () => {
  expect(await saidWhere({})).toEqual([
    expect.stringMatching(
      /^WARNING no other software .* in namespace mine, but idle programs .* broker\.layout .*head.*SWF_MONITOR_URL/,
    ),
  ]);
});

it('a process that knows the topics of the site, or has run here before, does not mention idle programs', async () => {
  expect(await saidWhere({ layout: ['/topic/panda.transformer'] })).toEqual([]);
  expect(await saidWhere({ isKnown: true })).toEqual([]);
});
