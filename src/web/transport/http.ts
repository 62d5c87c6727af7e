import { answerOf, type Call, CallError, decoded, type World } from './call.ts';

const tokenKey = 'swf-mcp-token';

/**
 * Removes a token from the address immediately, so that no one can read it on the screen. Fragments are never
 * sent to a server.
 */
function takeToken() {
  const [, token] = /^#token=([^&]+)$/.exec(location.hash) ?? [];
  if (token === undefined) return;
  sessionStorage.setItem(tokenKey, decoded(token));
  history.replaceState(null, '', `${location.pathname}#/`);
}

/** The server that the page came from. */
export function httpWorld(): World {
  takeToken();
  // Registered first, so that it runs before the page's own listener.
  addEventListener('hashchange', takeToken);
  return { kind: 'live', call, post, login: (token) => sessionStorage.setItem(tokenKey, token) };
}

let id = 0;

/** Posts a request with the token of this tab. Rejects with a `CallError`. */
async function post(path: string, body: object): Promise<{ result?: object }> {
  const token = sessionStorage.getItem(tokenKey);
  let response: Response;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'Save-Data': 'on',
        'X-SWF-Answer': 'fields',
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
  } catch {
    throw new CallError('disconnected', 'the server is not answering');
  }
  const text = await response.text().catch(() => '');
  if (response.status === 401) throw new CallError('unauthorised', token === null ? '' : 'That token is wrong.');
  let message: { result?: object; error?: { message?: string } };
  try {
    // The answer is a stream with one event, or plain JSON.
    const line = text.split('\n').find((one) => one.startsWith('data: '));
    message = JSON.parse(line === undefined ? text : line.slice(6));
  } catch {
    throw new CallError('disconnected', `the server answered ${response.status} without a readable body`);
  }
  if (message.error !== undefined || !response.ok)
    throw new CallError('refused', message.error?.message ?? `status ${response.status}`);
  return message;
}

const call: Call = async <T>(tool: string, args: object) => {
  id += 1;
  const asked = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: args } };
  return answerOf((await post('mcp', asked)).result ?? {}) as T;
};
