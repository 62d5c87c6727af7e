import { connectByStomp } from '../../broker/stomp-connection.ts';
import { brokerUnreachable } from '../../lib/errors.ts';
import type { ProgramType } from '../../messages/foreign.ts';
import { createHeard, type HeardProgram, type HeardTopic } from '../../observed/reading/heard.ts';
import { observe } from '../../observer/observer.ts';
import { exitCodes, interruptionOf, type Io } from '../shared/io.ts';
import { type ShownColumn, tableLines } from '../shared/layout.ts';
import { printJson, printLines } from '../shared/print-lines.ts';
import { listenedBy, type ListeningArguments } from './observe.ts';

export interface CheckArguments extends ListeningArguments {
  /** Seconds to listen. */
  wait: number;
  json: boolean;
}

/** A day, in seconds. Timers cannot be set for more than a few weeks. */
const longestWait = 86_400;

/** The programs of a run, and when each sends messages. */
const expected: readonly { type: ProgramType; hint: string }[] = [
  { type: 'runner', hint: 'sends messages during a run' },
  { type: 'data agent', hint: 'responds to each STF file' },
  { type: 'fastmon agent', hint: 'announces TF files; newer versions send nothing on the bus' },
  { type: 'fast processing agent', hint: 'sends slices, and is heard only with a layout (--layout)' },
  {
    type: 'transformer',
    hint: 'sends a heartbeat every 30 s, beginning 30 s after its start, and is heard only with a layout (--layout)',
  },
];

/**
 * `swf-mcp observe --check`: listens for a while, records nothing, and reports what was received. Returns
 * the exit code: 1 if nothing was received.
 */
export async function checkCommand(io: Io, args: CheckArguments) {
  const { settings, topics, namespaces } = listenedBy(io, args);
  const heard = createHeard(topics);
  let trouble = '';
  // An unreachable broker is reported when the time is up, if not before.
  const late = AbortSignal.timeout(Math.min(args.wait, longestWait) * 1000);
  let hasListened = false;
  const began = performance.now();
  await observe({
    settings,
    connect: connectByStomp,
    topics,
    namespaces,
    take: (line) => {
      if ('destination' in line) heard.add(line);
    },
    onListening: () => (hasListened = true),
    say: (line) => {
      trouble = line;
      io.err(line);
    },
    signal: AbortSignal.any([interruptionOf(io), late]),
  });
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  if (!hasListened)
    throw brokerUnreachable(
      `the broker could not be reached within ${seconds} s${trouble === '' ? '' : ` (${trouble.replace(/^WARNING /, '')})`}; check the host and port, or give a longer --wait`,
    );
  const [heardTopics, programs] = [heard.topics(), heard.programs()];
  const unheard = expected.filter(({ type }) => !programs.some((program) => program.type === type));
  const missing = unheard.map(({ type }) => type);
  if (args.json) printJson(io, { seconds, topics: heardTopics, programs, missing });
  else printLines(io, linesOf(seconds, heardTopics, programs, unheard));
  return heardTopics.some(({ messages }) => messages > 0) ? exitCodes.fine : exitCodes.mendable;
}

function linesOf(
  seconds: number,
  topics: readonly HeardTopic[],
  programs: readonly HeardProgram[],
  unheard: typeof expected,
) {
  return [
    `listened for ${seconds} s`,
    '',
    ...tableLines(topicColumns, topics),
    ...(programs.length === 0 ? [] : ['', ...tableLines(programColumns, programs)]),
    ...(unheard.length === 0 ? [] : ['', ...unheard.map(({ type, hint }) => `not heard: a ${type}, which ${hint}`)]),
  ];
}

const topicColumns: readonly ShownColumn<HeardTopic>[] = [
  { head: 'TOPIC', of: 'topic' },
  { head: 'MESSAGES', align: 'right', of: 'messages' },
  { head: 'TYPES', of: ({ types }) => typesOf(types) },
];

const programColumns: readonly ShownColumn<HeardProgram>[] = [
  { head: 'PROGRAM', of: 'name' },
  { head: 'TYPE', of: ({ type = '?' }) => type },
  { head: 'NAMESPACE', of: ({ namespace = '?' }) => namespace },
  { head: 'DIALECT', of: ({ dialect = '?' }) => dialect },
  { head: 'MESSAGES', align: 'right', of: 'messages' },
];

const typesOf = (types: Readonly<Record<string, number>>) =>
  Object.entries(types)
    .toSorted(([, a], [, b]) => b - a)
    .map(([type, n]) => `${type} ${n}`)
    .join(', ');
