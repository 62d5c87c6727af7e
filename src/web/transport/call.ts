import { tried } from '../../lib/tried.ts';

/** Why a call failed, in the kinds that the page handles. */
type Fault = 'disconnected' | 'unauthorised' | 'refused';

export class CallError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** The decoded part of an address, or the part itself if it is not validly encoded. */
export const decoded = (text: string) => tried(() => decodeURIComponent(text)) ?? text;

/** Calls a tool. Rejects with a `CallError`. */
export type Call = <T>(tool: string, args: object) => Promise<T>;

/** The environment of the page: its own server, a chat that hosts it, or a file. */
export interface World {
  kind: 'live' | 'app' | 'report';
  call: Call;
  /** Accepts the token that the server requires; only with a server. */
  login?: (token: string) => void;
  /** Posts to a route of the server; only with a server. Rejects with a `CallError`. */
  post?: (path: string, body: object) => Promise<unknown>;
  /** Sends a text to the assistant; only in a chat. */
  say?: (text: string) => void;
  /** The execution of the report, and when the report was made; only in a file. */
  report?: { execution_id: string; madeAt: string; isRunning: boolean };
  /** Asks the host for full screen; only if the host offers it. */
  openWide?: () => void;
}

/** The environment that the page is in. */
export let world: World;

/** Tells the page where it is, before it is first rendered. */
export function enter(entered: World): void {
  world = entered;
}

/** The moment that "now" means here: that of a report is when it was made. Milliseconds since 1970. */
export const thisMoment = () => (world.report === undefined ? Date.now() : Date.parse(world.report.madeAt));

interface ToolResult {
  isError?: boolean;
  structuredContent?: unknown;
  content?: { type: string; text?: string }[];
}

/** The structured answer in a result of `tools/call`. */
export function answerOf(result: unknown): unknown {
  const { isError, content, structuredContent } = result as ToolResult;
  if (isError === true) throw new CallError('refused', content?.[0]?.text ?? 'the call was refused');
  return structuredContent;
}
