import type { BusContract, SaidType } from '../../db/reports/observed/contract.ts';
import { programTypeOf } from '../../messages/foreign.ts';
import type { Io } from '../shared/io.ts';
import { type ShownColumn, tableLines } from '../shared/layout.ts';
import { printJson, printLines } from '../shared/print-lines.ts';
import { createStoreReader } from '../shared/store-reader.ts';

export interface ContractArguments {
  /** An execution, or `latest`. */
  executionId: string;
  against: string | undefined;
  json: boolean;
}

/** `swf-mcp observe --contract`: the actual bus contract of a recorded run. */
export function contractCommand(io: Io, { executionId, against, json }: ContractArguments) {
  using reader = createStoreReader(io);
  const queries = reader.queries();
  const { contract, differences } = queries.snapshot(() => {
    const found = queries.busContract(executionId);
    const before = against === undefined ? undefined : queries.busContract(against);
    return { contract: found, differences: before && contractDifferences(before.types, found.types) };
  });
  if (json) printJson(io, { ...contract, against, differences });
  else printLines(io, linesOf(contract, differences));
}

const columns: readonly ShownColumn<SaidType>[] = [
  { head: 'TYPE', of: 'message_type' },
  { head: 'SENDER', of: 'sender' },
  { head: 'DESTINATION', of: 'destination' },
  { head: 'MESSAGES', align: 'right', of: 'messages' },
  { head: 'FIRST s', align: 'right', of: ({ first_seconds }) => first_seconds?.toFixed(3) },
  { head: 'EVERY s', align: 'right', of: ({ every_seconds }) => every_seconds?.toFixed(3) },
];

function linesOf({ execution_id, types, delays, broken }: BusContract, differences: string[] | undefined) {
  return [
    execution_id,
    '',
    ...tableLines(columns, types),
    '',
    ...types.map((one) => `${one.message_type} from ${one.sender}: ${keyWords(one.keys, one.messages)}`),
    '',
    ...delays.map(({ stage, items, p50, p95 }) => `${stage}: p50 ${p50} s, p95 ${p95} s (n = ${items})`),
    ...broken.map(
      ({ sender, message_type, key, missing, of, example }) =>
        `broken: ${missing} of ${of} ${message_type} messages from ${sender} lack ${key}${example === undefined ? '' : `, for example ${example}`}`,
    ),
    ...(differences === undefined
      ? []
      : ['', ...(differences.length === 0 ? ['nothing differs'] : differences.map((one) => `differs: ${one}`))]),
  ];
}

/** The keys; for a key that is missing from some messages, also the number of messages that have it. */
const keyWords = (keys: Readonly<Record<string, number>>, messages: number) =>
  Object.entries(keys)
    .map(([key, n]) => (n === messages ? key : `${key} (${n} of ${messages})`))
    .join(', ');

/**
 * The differences between the bus contracts of two runs, one sentence each. Programs have different names
 * in each run, so they are compared by type and destination. Message counts depend on the length of a run
 * and are not compared.
 */
function contractDifferences(a: readonly SaidType[], b: readonly SaidType[]) {
  const [mine, theirs] = [byName(a), byName(b)];
  return [...new Set([...mine.keys(), ...theirs.keys()])].toSorted().flatMap((name) => {
    const [left, right] = [mine.get(name), theirs.get(name)];
    if (left === undefined) return [`${name} is new`];
    if (right === undefined) return [`${name} is gone`];
    return [
      ...missingFrom(left, right).map((key) => `${name} no longer has ${key}`),
      ...missingFrom(right, left).map((key) => `${name} now has ${key}`),
    ];
  });
}

/** The keys of messages, by message type, program and destination. */
function byName(said: readonly SaidType[]) {
  const found = new Map<string, Set<string>>();
  for (const { message_type, destination, keys } of said) {
    const name = `${message_type} from a ${programTypeOf(message_type, destination) ?? 'program'} on ${destination}`;
    found.set(name, new Set([...(found.get(name) ?? []), ...Object.keys(keys)]));
  }
  return found;
}

const missingFrom = (keys: ReadonlySet<string>, other: ReadonlySet<string>) =>
  [...keys].filter((key) => !other.has(key));
