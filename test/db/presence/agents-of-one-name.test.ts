import { expect, it } from 'vitest';

import { noteProgram } from '../../../src/db/observed/signs.ts';
import { registerAgent } from '../../../src/db/presence/agent-registry.ts';
import { createQueries } from '../../../src/db/queries.ts';
import { makeStore } from '../../made-store.ts';
import { register } from './processes.ts';

const name = 'data-agent-rita-1';
const at = Date.parse('2026-11-27T09:00:00.000Z');

/** All agents, by name: our own with their state, programs that were heard with their host. */
const agentsIn = ({ store }: Awaited<ReturnType<typeof makeStore>>) =>
  createQueries(store.db, () => true)
    .agents({ include_exited: true }, { order: 'oldest', limit: 9 })
    .rows.map(({ agent_name, namespace, heard_on }) => [agent_name, namespace, heard_on]);

it.each([
  ['before', true],
  ['after', false],
])('an agent starts even if a program with its name was heard %s its start', async (_, isHeardFirst) => {
  const made = await makeStore();
  const process_id = await register(made.store, 101);
  const hear = () =>
    made.store.write((tx) =>
      noteProgram(tx, name, { type: 'data', namespace: 'theirs', host: 'epic-dev', execution_id: 'their-run', at }),
    );
  const begin = () =>
    made.store.write((tx) => registerAgent(tx, { type: 'data', user: 'rita', namespace: 'ours', process_id }));
  const steps = isHeardFirst ? [hear, begin] : [begin, hear];
  for (const step of steps) await step();
  await hear();
  const [ours, theirs] = [
    [name, 'ours', null],
    [name, 'theirs', 'epic-dev'],
  ];
  expect(agentsIn(made)).toEqual(isHeardFirst ? [theirs, ours] : [ours, theirs]);
});

it('an agent of this store that is heard in its own namespace is not listed twice', async () => {
  const made = await makeStore();
  const process_id = await register(made.store, 101);
  await made.store.write((tx) => {
    registerAgent(tx, { type: 'data', user: 'rita', namespace: 'ours', process_id });
    noteProgram(tx, name, { type: 'data', namespace: 'ours', host: '', execution_id: undefined, at });
  });
  expect(agentsIn(made)).toEqual([[name, 'ours', null]]);
});
