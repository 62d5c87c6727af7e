import { asObject, readJson } from '../lib/read-json.ts';
import { keepBody, type KeptBody, keepText, keepValue, maskValue } from './body.ts';

/** A message in a recording. `t` is the time of receipt, ISO 8601 in UTC. */
export type MessageLine = { t: string; destination: string; headers: Record<string, string> } & KeptBody;

/** A REST call in a recording. `t` is ISO 8601 in UTC. */
export interface RestLine {
  t: string;
  method: string;
  path: string;
  query?: unknown;
  body?: unknown;
  status?: number;
  answer?: unknown;
  auth?: unknown;
}

/**
 * A period in which nothing could be received, or in which received messages could not be written. Times are
 * ISO 8601 in UTC.
 */
export interface GapLine {
  gap: { from: string; until: string; reason: string };
}

/** The first line of a recording, which may be missing: the format and the source. */
export interface CaptureLine {
  capture: 1;
  t: string;
  by: string;
  broker?: string;
  topics?: readonly string[];
  namespaces?: readonly string[];
}

/** The last line of a recording that ended normally. It gives the time until which the observer listened. */
export interface UntilLine {
  until: string;
}

export type RecordingLine = MessageLine | RestLine | GapLine | CaptureLine | UntilLine;

interface Arrived {
  destination: string;
  headers: Readonly<Record<string, string>>;
  /** The body, or the beginning of a body that is too large. */
  bytes: Buffer;
  /** The size and digest of the whole body, if it is too large to keep. */
  large?: { size: number; sha256: string } | undefined;
}

/**
 * When a message was sent, in milliseconds since 1970 on the broker's clock; undefined if the broker gives no
 * time.
 */
export function brokerTime({ timestamp = '' }: Readonly<Record<string, string>>) {
  return /^\d{12,14}$/.test(timestamp) ? Number(timestamp) : undefined;
}

/** The line for a message, without secrets. @param t time of receipt, ISO 8601 */
export const messageLine = ({ destination, headers, bytes, large }: Arrived, t: string): MessageLine => ({
  t,
  destination,
  headers: maskValue(headers) as Record<string, string>,
  ...(large ?? keepBody(bytes)),
});

/** Masks the secrets in a line of a recording, which another program may have written. */
export function maskedLine(line: MessageLine): MessageLine {
  const { t, destination, headers } = line;
  const kept =
    'body' in line
      ? keepValue(line.body)
      : 'text' in line
        ? keepText(line.text)
        : { size: line.size, sha256: line.sha256 };
  return { t, destination, headers: maskValue(headers) as Record<string, string>, ...kept };
}

/** A line that is neither a message nor a call. */
type NoteLine = Exclude<RecordingLine, MessageLine | RestLine>;

/** A parsed line, with its kind; `rejected` if it is not a line of a recording. */
export type ReadLine =
  | { kind: 'message'; line: MessageLine }
  | { kind: 'rest'; line: RestLine }
  | { kind: 'note'; line: NoteLine }
  | { kind: 'rejected'; why: string };

/** Parses a line of a recording. Never throws. */
export function parseLine(text: string): ReadLine {
  const value = readJson(text);
  if (value === undefined) return rejected('not JSON');
  const line = asObject(value);
  if (line === undefined) return rejected('not an object');
  if ('capture' in line || 'gap' in line || ('until' in line && !('t' in line))) return note(line);
  if (!isIsoTime(line['t'])) return rejected('no time "t"');
  if (typeof line['destination'] === 'string') return message(line);
  if (typeof line['method'] === 'string' && typeof line['path'] === 'string')
    return { kind: 'rest', line: line as unknown as RestLine };
  return rejected('neither a message nor a REST call');
}

/** Whether a value is a time in ISO 8601 with a zone. */
const isIsoTime = (value: unknown): value is string =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}T[\d:.]{5,20}(?:Z|[+-]\d{2}:?\d{2})$/.test(value) &&
  !Number.isNaN(Date.parse(value));

const rejected = (why: string): ReadLine => ({ kind: 'rejected', why });

function note(line: Record<string, unknown>): ReadLine {
  const { gap, until, capture } = line;
  const { from, until: end } = asObject(gap) ?? {};
  const isWhole = gap !== undefined ? isIsoTime(from) && isIsoTime(end) : capture !== undefined || isIsoTime(until);
  return isWhole ? { kind: 'note', line: line as unknown as NoteLine } : rejected('a gap or an end without its time');
}

function message(line: Record<string, unknown>): ReadLine {
  const { headers, text, size, sha256 } = line;
  const hasBody =
    'body' in line || typeof text === 'string' || (typeof size === 'number' && typeof sha256 === 'string');
  if (!hasBody) return rejected('a message without a body');
  const texts = typeof headers === 'object' && headers !== null ? Object.entries(headers) : [];
  return {
    kind: 'message',
    line: {
      ...(line as unknown as MessageLine),
      headers: Object.fromEntries(texts.filter((one): one is [string, string] => typeof one[1] === 'string')),
    },
  };
}

/**
 * The time by which a line is ordered when it is merged with others; for a gap, the gap's end. Undefined for
 * the first line and for rejected lines.
 */
export function timeOfLine(read: ReadLine) {
  if (read.kind === 'message' || read.kind === 'rest') return read.line.t;
  if (read.kind === 'rejected') return undefined;
  if ('gap' in read.line) return read.line.gap.until;
  return 'until' in read.line ? read.line.until : undefined;
}
