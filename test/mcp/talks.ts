import { once } from 'node:events';
import { PassThrough } from 'node:stream';

import { onTestFinished } from 'vitest';

import { startHttp, type Surroundings } from '../helpers.ts';
import { startInProcess } from '../in-process.ts';
import { lines } from './messages.ts';

export interface Answered {
  result?: Record<string, unknown>;
  error?: { code: number; message: string; data?: unknown };
}

/** Sends a request and resolves with its answer. */
export type Talk = (message: object) => Promise<Answered>;

/** A client of a server on stdio that speaks in bare messages, and all that the server has said to it. */
export function talkOnStdio(surroundings: Surroundings) {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const server = startInProcess(['serve'], surroundings, { stdin, stdout });
  onTestFinished(async () => {
    stdin.end();
    await server.finished;
  });
  const said: (Answered & { id?: unknown })[] = [];
  let rest = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    const whole = (rest + text).split('\n');
    rest = whole.pop() ?? '';
    said.push(...whole.map((line) => JSON.parse(line) as Answered));
  });
  const heard = async (id: unknown): Promise<Answered> => {
    for (;;) {
      const answer = said.find((one) => 'id' in one && one.id === id);
      if (answer !== undefined) return answer;
      await once(stdout, 'data');
    }
  };
  const send = (text: string): void => void stdin.write(text);
  const talk: Talk = (message) => {
    send(lines(message));
    return heard((message as { id: unknown }).id);
  };
  return { talk, send, heard, said, end: () => void stdin.end() };
}

/** The headers that each request of the stateless era has over HTTP. */
export function headersOf(message: object): Record<string, string> {
  const { method, params } = message as { method: string; params: Record<string, unknown> };
  const meta = params['_meta'] as Record<string, string> | undefined;
  const name = params['name'] ?? params['uri'];
  if (meta === undefined) return {};
  return {
    'MCP-Protocol-Version': meta['io.modelcontextprotocol/protocolVersion'] ?? '',
    'Mcp-Method': method,
    ...(typeof name === 'string' ? { 'Mcp-Name': name } : {}),
  };
}

/** Posts a message. */
export const post = (url: string, message: object, headers: Record<string, string> = headersOf(message)) =>
  fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(message),
  });

/** A client over HTTP that speaks in bare messages. */
export async function talkOverHttp(surroundings: Surroundings): Promise<{ talk: Talk; url: string }> {
  const { url } = await startHttp(surroundings);
  const talk: Talk = async (message) => {
    const text = await (await post(url, message)).text();
    const event = text.split('\n').findLast((line) => line.startsWith('data: '));
    return JSON.parse(event?.slice(6) ?? text) as Answered;
  };
  return { talk, url };
}
