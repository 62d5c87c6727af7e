import { expect, it } from 'vitest';

import { troubledAgents } from '../../src/db/presence/agent-registry.ts';
import { recordRemoteHeartbeat } from '../../src/db/presence/remote-agents.ts';
import { createAgentDirectory } from '../../src/exchange/agent-directory.ts';
import type { AgentHeartbeat } from '../../src/messages/telemetry.ts';
import { createUnheardWorkers } from '../../src/recorder/workers.ts';
import { makeStore } from '../helpers.ts';
import { heartbeat } from './beats.ts';

const beat = (agent_name: string, in_hand: string[], wire = 2): AgentHeartbeat =>
  heartbeat(agent_name, 'worker', { state: 'PROCESSING', in_hand, slots: 2, wire });

it('a worker whose reports do not arrive causes one warning, and is in trouble until a report arrives', async () => {
  const { store } = await makeStore();
  const directory = createAgentDirectory();
  const warnings: string[] = [];
  const onFault = (error: unknown): never => {
    throw error;
  };
  const unheard = createUnheardWorkers({ store, directory, warn: (line) => warnings.push(line), onFault });
  for (const said of [beat('stranger', ['x/slice/a/1', 'x/slice/b/1']), beat('ours', ['x/slice/c/1'])]) {
    directory.note(said);
    await store.write((tx) => recordRemoteHeartbeat(tx, said));
  }
  unheard.noteWord('ours');
  directory.note(beat('stranger', []));
  const troubled = (): unknown[] => troubledAgents(store.sql, 'test', () => true).map(({ agent }) => agent);
  unheard.noteLost(['x/slice/a/1', 'x/slice/c/1', 'x/slice/of-nobody/1']);
  unheard.noteLost(['x/slice/b/1']);
  expect(warnings).toEqual([expect.stringMatching(/^stranger takes slices, .*store_id header$/)]);
  await expect.poll(troubled).toEqual(['stranger']);
  unheard.noteWord('stranger');
  await expect.poll(troubled).toEqual([]);
});

it('a worker of an earlier build is reported as refused, and does not count as on duty', async () => {
  const { store } = await makeStore();
  const directory = createAgentDirectory();
  const said = beat('old', ['x/slice/a/1'], 1);
  directory.note(said);
  await store.write((tx) => recordRemoteHeartbeat(tx, said));
  expect(directory.hasOnDuty('worker')).toBe(false);
  expect(directory.inHand()).toEqual(new Set());
  expect(troubledAgents(store.sql, 'test', () => true)).toMatchObject([{ agent: 'old', isRefused: true }]);
});
