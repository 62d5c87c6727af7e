import { quantile } from './figure.ts';
import type { RawServer } from './processes.ts';

export interface ToolCall {
  tool: string;
  args: object;
}

/** How many calls of each question to make, if the time allows. */
export const maxCalls = 200;
const enoughMilliseconds = 4000;

/** A quantile of the times of up to `maxCalls` identical calls, in milliseconds. */
export async function quantileOfCalls(server: RawServer, call: ToolCall, part: number): Promise<number> {
  const times: number[] = [];
  const until = performance.now() + enoughMilliseconds;
  while (times.length < maxCalls && performance.now() < until) times.push(await timedCall(server, call));
  return quantile(times, part);
}

/** The time of one call, in milliseconds. Throws if the answer is an error. */
export async function timedCall(server: RawServer, { tool, args }: ToolCall): Promise<number> {
  const began = performance.now();
  const answer = await server.call(tool, args);
  const time = performance.now() - began;
  if (/"isError":true/.test(answer)) throw new Error(`${tool} ${JSON.stringify(args)}: ${answer.slice(0, 300)}`);
  return time;
}
