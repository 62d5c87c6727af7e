import { answerOf, type Call, CallError, decoded, type World } from './call.ts';

const tokenKey = 'swf-mcp-token';

/** A token in the address is taken out of it at once: fragments reach no server, and nobody shall read it over a shoulder. */
function takeToken(): void {
  const [, token] = /^#token=([^&]+)$/.exec(location.hash) ?? [];
  if (token === undefined) return;
  sessionStorage.setItem(tokenKey, decoded(token));
  history.replaceState(null, '', `${location.pathname}#/`);
}

/** The server that the page came from. */
export function httpWorld(): World {
  takeToken();
  // Heard before the page hears of it.
  addEventListener('hashchange', takeToken);
  return { kind: 'live', call, login: (token) => sessionStorage.setItem(tokenKey, token) };
}

let id = 0;

const call: Call = async <T>(tool: string, args: object): Promise<T> => {
  const token = sessionStorage.getItem(tokenKey);
  id += 1;
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: args } });
  let response: Response;
  try {
    response = await fetch('mcp', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      },
      body,
      signal: AbortSignal.timeout(60_000),
    });
  } catch {
    throw new CallError('disconnected', 'the server does not answer');
  }
  const text = await response.text().catch(() => '');
  if (response.status === 401) throw new CallError('unauthorised', token === null ? '' : 'That token is wrong.');
  return read(response, text) as T;
};

function read(response: Response, text: string): unknown {
  let message: { result?: object; error?: { message?: string } };
  try {
    // One answer as a stream of one event, or as it is.
    const line = text.split('\n').find((one) => one.startsWith('data: '));
    message = JSON.parse(line === undefined ? text : line.slice(6));
  } catch {
    throw new CallError('disconnected', `the server answered ${response.status} without words`);
  }
  if (message.result === undefined)
    throw new CallError('refused', message.error?.message ?? `status ${response.status}`);
  return answerOf(message.result);
}
