import { keepBody, type KeptBody, keepText, keepValue } from './body.ts';
import { maskValue } from './masking.ts';

/** A message in a recording. `t` is when it was heard, ISO 8601 in UTC. */
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

/** A period in which nothing could be heard, or messages could not be written. Times are ISO 8601 in UTC. */
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

/** The last line of a recording that ended normally: the observer listened until then. */
export interface UntilLine {
  until: string;
}

export type RecordingLine = MessageLine | RestLine | GapLine | CaptureLine | UntilLine;

export interface Arrived {
  destination: string;
  headers: Readonly<Record<string, string>>;
  /** The body, or the beginning of one that is too large. */
  bytes: Buffer;
  /** Of the whole body, if it is too large. */
  large?: { size: number; sha256: string } | undefined;
}

/** When a message was sent by the broker's clock, in milliseconds since 1970; undefined if the broker does not say. */
export function brokerTime({ timestamp = '' }: Readonly<Record<string, string>>): number | undefined {
  return /^\d{12,14}$/.test(timestamp) ? Number(timestamp) : undefined;
}

/** The line of a message, without secrets. @param t when it was heard, ISO 8601 */
export const messageLine = ({ destination, headers, bytes, large }: Arrived, t: string): MessageLine => ({
  t,
  destination,
  headers: maskValue(headers) as Record<string, string>,
  ...(large ?? keepBody(bytes)),
});

/** Masks the secrets in a line of a recording: another program may have made it. */
export function maskedLine(line: MessageLine): MessageLine {
  const { t, destination, headers } = line;
  const kept: KeptBody =
    'body' in line
      ? keepValue(line.body)
      : 'text' in line
        ? keepText(line.text)
        : { size: line.size, sha256: line.sha256 };
  return { t, destination, headers: maskValue(headers) as Record<string, string>, ...kept };
}
