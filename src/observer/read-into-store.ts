import { type Outcome, recordHeard } from '../db/observed/heard-messages.ts';
import { noteGap, noteSpan, noteUnrecorded } from '../db/observed/hearings.ts';
import { settleObserved } from '../db/observed/settle.ts';
import { type Store, writeEach } from '../db/opening/store.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { addReadLine } from '../db/stand-in/records.ts';
import { isAlive } from '../lib/process-identity.ts';
import { createNamespaceFilter } from '../observed/namespace-filter.ts';
import { maskedLine, type ReadLine, timeOfLine } from '../observed/recording-lines.ts';
import { createResentTest, logLineIn, type ToldLogLine } from '../observed/told/log-line.ts';
import { restOf } from '../observed/told/rest-call.ts';
import { createReferences } from '../observed/told/rest-rows.ts';
import { readRecordings, type TornFile } from './recording-reader.ts';

/** Number of messages per transaction. */
const together = 500;

interface ReadCounts {
  /** Number of message lines, including heartbeats and messages already stored. */
  messages: number;
  rest: number;
  /** Number of messages whose type or format is unknown. */
  kept: number;
  /** Number of lines that are not JSON or are not messages, plus messages recorded as rejected. */
  rejected: number;
  /** The executions that the messages belong to, in order of appearance. */
  executions: string[];
  gaps: number;
}

interface ReadOptions {
  store: Store;
  namespaces: readonly string[];
  /** The end of listening, ISO 8601; by default, the end of each recording. */
  until: string | undefined;
  onTorn: (torn: TornFile) => void;
}

type FileLine = ReadLine & { path: string };

/** A line to record, from a file; or a log line that a program sent over REST. `at`: ISO 8601 in UTC. */
type Recorded = FileLine | { kind: 'log'; line: ToldLogLine; at: string };

/** Reads recordings into a store, merged by time. Reading them again changes nothing. */
export async function readIntoStore(paths: readonly string[], options: ReadOptions): Promise<ReadCounts> {
  const { store, namespaces, until, onTorn } = options;
  const filter = createNamespaceFilter(namespaces);
  const counts: ReadCounts = { messages: 0, rest: 0, kept: 0, rejected: 0, executions: [], gaps: 0 };
  const executions = new Set<string>();
  const spans = new Map<string, RecordedSpan>();
  const references = new Map<string, ReturnType<typeof createReferences>>();
  const isResent = createResentTest();
  let waiting: Recorded[] = [];
  const write = async () => {
    const lines = waiting;
    waiting = [];
    const outcomes = await writeEach(store, lines, recordLine, (tx, line, error) =>
      noteUnrecorded(tx, (line.kind === 'log' ? line.at : timeOfLine(line)) ?? '', error),
    );
    for (const { effect, execution_id } of outcomes) {
      if (effect === 'none') counts.kept += 1;
      if (effect === 'rejected') counts.rejected += 1;
      if (execution_id !== undefined) executions.add(execution_id);
    }
  };
  for await (const line of readRecordings(paths, onTorn)) {
    countLine(counts, line);
    extend(spans, line);
    const stated = asStated(line, references);
    if (stated.kind === 'message' ? filter.isMeant(stated.line) : stated.kind === 'note') waiting.push(stated);
    const told = stated.kind === 'rest' ? logLineIn(stated.line) : undefined;
    if (told !== undefined && !isResent(told) && isOf(namespaces, told))
      waiting.push({ kind: 'log', line: told, at: new Date(timeOfLine(line) ?? '').toISOString() });
    if (waiting.length >= together) await write();
  }
  await write();
  await store.write((tx) => {
    for (const { since, until: last, topics } of spans.values()) {
      if (since === undefined || last === undefined) continue;
      const end = until === undefined ? last : Math.max(since, Date.parse(until));
      noteSpan(tx, { since, until: end, topics }, namespaces);
    }
    settleObserved(tx, { isAlive, now: Date.now() });
  });
  return { ...counts, executions: [...executions] };
}

/**
 * Converts a REST write to a message, because the ids in the write are valid only within its recording.
 */
function asStated(line: FileLine, references: Map<string, ReturnType<typeof createReferences>>): FileLine {
  if (line.kind !== 'rest') return line;
  const known = references.get(line.path) ?? createReferences();
  references.set(line.path, known);
  const stated = known(line.line);
  return stated === undefined ? line : { kind: 'message', line: stated, path: line.path };
}

/**
 * Whether a log line belongs to one of these namespaces. True if the list is empty or the line names no
 * namespace.
 */
const isOf = (namespaces: readonly string[], { context }: ToldLogLine) => {
  const { namespace } = context as { namespace?: unknown };
  return namespaces.length === 0 || typeof namespace !== 'string' || namespaces.includes(namespace);
};

function recordLine(tx: Transaction, read: Recorded): Outcome[] {
  if (read.kind === 'message') {
    const outcome = recordHeard(tx, maskedLine(read.line));
    return [restOf(read.line.destination) === undefined ? outcome : { ...outcome, effect: 'applied' }];
  }
  if (read.kind === 'note' && 'gap' in read.line) noteGap(tx, read.line.gap);
  if (read.kind === 'log') addReadLine(tx, read.line, read.at);
  return [];
}

export function countLine(counts: Pick<ReadCounts, 'messages' | 'rest' | 'rejected' | 'gaps'>, line: ReadLine) {
  if (line.kind === 'message') counts.messages += 1;
  else if (line.kind === 'rest') counts.rest += 1;
  else if (line.kind === 'rejected') counts.rejected += 1;
  else if ('gap' in line.line) counts.gaps += 1;
}

/**
 * The period that a recording covers, from its first line to its last, and the topics that its observer
 * listened to.
 */
interface RecordedSpan {
  since?: number;
  until?: number;
  topics?: readonly string[];
}

function extend(spans: Map<string, RecordedSpan>, line: FileLine) {
  const known = spans.get(line.path) ?? {};
  spans.set(line.path, known);
  if (line.kind === 'note' && 'capture' in line.line) {
    const topics: unknown = line.line.topics;
    if (Array.isArray(topics)) known.topics = topics.filter((topic) => typeof topic === 'string');
  }
  const time = Date.parse(timeOfLine(line) ?? '');
  // An object read from a monitor has the time at which the monitor received it, perhaps before the recording
  // began.
  const isOlder = line.kind === 'message' && restOf(line.line.destination)?.method === 'GET';
  if (Number.isNaN(time) || isOlder) return;
  known.since = Math.min(known.since ?? time, time);
  known.until = Math.max(known.until ?? time, time);
}
