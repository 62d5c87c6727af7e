import { answerOf, type Call, CallError, type World } from './call.ts';

interface Message {
  jsonrpc: '2.0';
  id?: number | string;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: { message?: string };
}

const waiting = new Map<number | string, (message: Message) => void>();
let id = 0;

/** A chat that does not answer within this time, in milliseconds, counts as gone. */
const patience = 30_000;

const post = (message: object) => parent.postMessage({ jsonrpc: '2.0', ...message }, '*');

function request(method: string, params: object) {
  id += 1;
  const own = id;
  post({ id: own, method, params });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.delete(own);
      reject(new CallError('disconnected', 'the chat is not answering'));
    }, patience);
    waiting.set(own, ({ result, error }) => {
      clearTimeout(timer);
      if (error === undefined) resolve(result);
      else reject(new CallError('refused', error.message ?? 'the host refused'));
    });
  });
}

const call: Call = async <T>(tool: string, args: object) =>
  answerOf(await request('tools/call', { name: tool, arguments: args })) as T;

interface HostEvents {
  /** Called with the id of the execution that a tool call is about. */
  onExecution: (executionId: string) => void;
  /** Called with the text of the error if the tool call fails. */
  onRefused: (words: string) => void;
  onCancelled: (reason: string) => void;
  onTheme: (theme: 'light' | 'dark') => void;
  onTeardown: () => void;
}

/**
 * The chat that hosts the page as an MCP App (revision 2026-01-26) and answers the page's tool calls. The page
 * accepts messages only from the parent window, and the server checks ids from the chat like any others.
 */
export async function hostWorld(events: HostEvents): Promise<World> {
  addEventListener('message', ({ source, data }: MessageEvent<Message>) => {
    if (source === parent && typeof data === 'object' && data?.jsonrpc === '2.0') hear(data, events);
  });
  const started = await request('ui/initialize', {
    appInfo: { name: 'swf-mcp monitor', version: '1' },
    appCapabilities: { availableDisplayModes: ['inline', 'fullscreen'] },
    protocolVersion: '2026-01-26',
  });
  post({ method: 'ui/notifications/initialized', params: {} });
  const context = ((started as { hostContext?: object } | undefined)?.hostContext ?? {}) as HostContext;
  takeContext(context, events);
  reportSize();
  const isRoomy = (context.availableDisplayModes ?? []).includes('fullscreen');
  return {
    kind: 'app',
    call,
    say: (text) => void request('ui/message', { role: 'user', content: [{ type: 'text', text }] }).catch(() => {}),
    ...(isRoomy
      ? { openWide: () => void request('ui/request-display-mode', { mode: 'fullscreen' }).catch(() => {}) }
      : {}),
  };
}

function hear({ id: theirs, method, params = {}, ...rest }: Message, events: HostEvents) {
  if (method === undefined) {
    if (theirs === undefined) return;
    waiting.get(theirs)?.(rest);
    waiting.delete(theirs);
    return;
  }
  switch (method) {
    case 'ui/notifications/tool-input':
      takeExecution(params['arguments'], events);
      break;
    case 'ui/notifications/tool-result':
      if (params['isError'] === true) events.onRefused(textOf(params['content']));
      else takeExecution(params['structuredContent'], events);
      break;
    case 'ui/notifications/tool-cancelled':
      events.onCancelled(typeof params['reason'] === 'string' ? params['reason'] : '');
      break;
    case 'ui/notifications/host-context-changed':
      takeContext(params, events);
      break;
    case 'ui/resource-teardown':
      events.onTeardown();
      post({ id: theirs, result: {} });
      break;
    case 'ping':
      post({ id: theirs, result: {} });
      break;
    default:
      if (theirs !== undefined) post({ id: theirs, error: { code: -32_601, message: `unknown method ${method}` } });
  }
}

const textOf = (content: unknown) =>
  Array.isArray(content)
    ? content.map(({ text }: { text?: unknown }) => (typeof text === 'string' ? text : '')).join('\n')
    : '';

function takeExecution(value: unknown, { onExecution }: HostEvents) {
  const given = (value as { execution_id?: unknown } | undefined)?.execution_id;
  if (typeof given === 'string') onExecution(given);
}

interface HostContext {
  theme?: unknown;
  styles?: { variables?: Record<string, unknown> };
  availableDisplayModes?: string[];
}

function takeContext(context: HostContext, { onTheme }: HostEvents) {
  const { theme, styles } = context;
  if (theme === 'light' || theme === 'dark') onTheme(theme);
  for (const [name, value] of Object.entries(styles?.variables ?? {}))
    if (/^--[a-z0-9-]+$/.test(name) && typeof value === 'string')
      document.documentElement.style.setProperty(name, value);
}

/** The maximum height to request from a chat, in pixels; the page scrolls beyond it. */
export const maxHeight = 700;

/**
 * Reports the content's size to the host when it changes, at most ten times a second, so that the frame fits.
 */
function reportSize() {
  let told = 0;
  let timer: number | undefined;
  const tell = () => {
    timer = undefined;
    const height = Math.min(maxHeight, Math.ceil(document.body.scrollHeight));
    if (height === told) return;
    told = height;
    post({ method: 'ui/notifications/size-changed', params: { width: document.body.scrollWidth, height } });
  };
  new ResizeObserver(() => (timer ??= setTimeout(tell, 100))).observe(document.body);
}
