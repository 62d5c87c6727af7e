/** Why a call has no answer: what the page can say of it, and do. */
export type Fault = 'disconnected' | 'unauthorised' | 'refused';

export class CallError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** A part of an address as it was meant; as it is where nobody has encoded it. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Asks a tool. Rejects with a `CallError`. */
export type Call = <T>(tool: string, args: object) => Promise<T>;

/** The world that the page lives in: a server of its own, a chat that hosts it, or a file. */
export interface World {
  kind: 'live' | 'app' | 'report';
  call: Call;
  /** Takes the token that the server asks for; only of a server. */
  login?: (token: string) => void;
  /** Sends something to a route of the server; only of one. Rejects with a `CallError`. */
  post?: (path: string, body: object) => Promise<unknown>;
  /** Hands words to the assistant; only in a chat. */
  say?: (text: string) => void;
  /** The execution that the page is about, and when it was made; only of a file. */
  report?: { execution_id: string; madeAt: string; isRunning: boolean };
  /** Asks the host for more room; only where it has some. */
  openWide?: () => void;
}

interface ToolResult {
  isError?: boolean;
  structuredContent?: unknown;
  content?: { type: string; text?: string }[];
}

/** The structured answer of a result of `tools/call`. */
export function answerOf(result: unknown): unknown {
  const { isError, content, structuredContent } = result as ToolResult;
  if (isError === true) throw new CallError('refused', content?.[0]?.text ?? 'the call was refused');
  return structuredContent;
}
