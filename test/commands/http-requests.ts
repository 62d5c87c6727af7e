import { type Agent, request } from 'node:http';
import { request as httpsRequest } from 'node:https';

interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** One request with exactly these headers: `fetch` would change them. */
export function send(
  url: string,
  {
    method = 'POST',
    headers = {},
    body = '',
    agent,
  }: { method?: string; headers?: Record<string, string>; body?: string; agent?: Agent } = {},
): Promise<Answered> {
  const usual = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  return new Promise((resolve, reject) => {
    const sent = (url.startsWith('https:') ? httpsRequest : request)(
      url,
      { method, headers: { ...usual, ...headers }, rejectUnauthorized: false, agent },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

export const call = (name: string, args: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });
export const monitor = call('get_workflow_monitor', { execution_id: 'latest' });

/** The JSON-RPC message in an event stream. */
export const answerIn = (body: string): any =>
  JSON.parse(
    body
      .split('\n')
      .find((line) => line.startsWith('data: '))
      ?.slice(6) ?? body,
  );
