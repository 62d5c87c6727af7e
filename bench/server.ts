import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from '../test/folder.ts';
import { committer } from './committer.ts';
import { atMost, below, type Figure, median } from './figure.ts';
import { cli, peakMemory, type RawServer, startServer } from './processes.ts';
import { timedCall, type ToolCall } from './timed-calls.ts';

const monitor: ToolCall = { tool: 'get_workflow_monitor', args: { execution_id: 'latest' } };
const slices: ToolCall = { tool: 'list_tf_slices', args: { execution_id: 'latest', limit: 50 } };

/**
 * The time from a cold start to the first tool answer, of warm calls, and the server's memory, beside a bare SDK
 * server that returns the same bytes. The two take turns, so that both are measured under the same conditions.
 * @param store a store that has an execution
 */
export async function benchServer(
  store: string,
  { coldRounds = 15, warmCalls = 300 }: { coldRounds?: number; warmCalls?: number } = {},
): Promise<Figure[]> {
  const env = { SWF_DB: store };
  const ours = [cli];
  const floor = [join(process.env['SWF_BUNDLED'] ?? '', 'bare-server.js'), await sameBytes(ours, env)];

  const cold: { ours: number[]; floor: number[] } = { ours: [], floor: [] };
  for (let round = 0; round < coldRounds; round += 1) {
    cold.ours.push(await coldStart(ours, env));
    cold.floor.push(await coldStart(floor, env));
  }

  const server = await startServer(ours, env);
  const bare = await startServer(floor, env);
  const warm = [];
  for (const call of [monitor, slices])
    warm.push({ tool: call.tool, ...(await warmCallsOf(server, bare, call, warmCalls)) });
  const changed = await warmCallsOf(server, bare, monitor, warmCalls, committer(store));
  const peak = peakMemory(server.child) ?? NaN;
  await server.close();
  await bare.close();
  return [
    {
      figure: `cold start to the first answer (median of ${coldRounds})`,
      unit: 'ms',
      ours: median(cold.ours),
      floor: { what: 'bare SDK server, same bytes', value: median(cold.floor) },
      aim: atMost(1.3),
      usual: 1.25,
    },
    ...warm.map(({ tool, ours: mine, floor: theirs }) => ({
      figure: `warm ${tool} (median of ${warmCalls})`,
      unit: 'ms',
      ours: mine,
      floor: { what: 'bare SDK server, same bytes', value: theirs },
      // Nothing changes between two calls.
      aim: atMost(tool === monitor.tool ? 2 : 2.5),
      usual: tool === monitor.tool ? 1.9 : 2.2,
    })),
    {
      figure: `the same monitor, after a commit each (median of ${warmCalls})`,
      unit: 'ms',
      ours: changed.ours,
      floor: { what: 'bare SDK server, same bytes', value: changed.floor },
      aim: atMost(3),
      usual: 4.4,
    },
    { figure: 'peak memory of the server', unit: 'MB', ours: peak, aim: below(150, 'MB') },
  ];
}

/** Writes our server's answers to a file for the bare server. */
async function sameBytes(ours: string[], env: Record<string, string>): Promise<string> {
  const server = await startServer(ours, env);
  const results: Record<string, unknown> = {};
  for (const { tool, args } of [monitor, slices])
    results[tool] = (JSON.parse(await server.call(tool, args)) as { result: unknown }).result;
  await server.close();
  const path = join(temporaryFolder(), 'results.json');
  writeFileSync(path, JSON.stringify(results));
  return path;
}

async function coldStart(args: string[], env: Record<string, string>): Promise<number> {
  const began = performance.now();
  const server = await startServer(args, env);
  await timedCall(server, monitor);
  const milliseconds = performance.now() - began;
  await server.close();
  return milliseconds;
}

async function warmCallsOf(
  ours: RawServer,
  floor: RawServer,
  call: ToolCall,
  calls: number,
  before: () => void = () => {},
): Promise<{ ours: number; floor: number }> {
  const times: { ours: number[]; floor: number[] } = { ours: [], floor: [] };
  for (let round = 0; round < calls; round += 1) {
    before();
    times.ours.push(await timedCall(ours, call));
    times.floor.push(await timedCall(floor, call));
  }
  return { ours: median(times.ours), floor: median(times.floor) };
}
