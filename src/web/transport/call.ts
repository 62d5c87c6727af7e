import { tried } from '../../lib/tried.ts';

/** Why a call failed, as one of the kinds that the page handles. */
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
  /** Stores the token that the server requires; present only if there is a server. */
  login?: (token: string) => void;
  /** Posts to a server route; present only if there is a server. Rejects with a `CallError`. */
  post?: (path: string, body: object) => Promise<unknown>;
  /** Sends text to the assistant; present only in a chat. */
  say?: (text: string) => void;
  /** The execution of the report, and when the report was made; present only in a report file. */
  report?: { execution_id: string; madeAt: string; isRunning: boolean };
  /** Asks the host for full screen; present only if the host offers it. */
  openWide?: () => void;
}

/** The environment that the page runs in. */
export let world: World;

/** Sets the page's environment, before the page is first rendered. */
export function enter(entered: World) {
  world = entered;
}

/**
 * The moment that "now" means here, in milliseconds since 1970. In a report, it is the time when the report was
 * made.
 */
export const thisMoment = () => (world.report === undefined ? Date.now() : Date.parse(world.report.madeAt));

interface ToolResult {
  isError?: boolean;
  structuredContent?: unknown;
  content?: { type: string; text?: string }[];
}

/** The structured answer in a result of `tools/call`. */
export function answerOf(result: unknown) {
  const { isError, content, structuredContent } = result as ToolResult;
  if (isError === true) throw new CallError('refused', content?.[0]?.text ?? 'the call was refused');
  return structuredContent;
}
