import { type Command, InvalidArgumentError, Option } from 'commander';

import type { Io } from './io.ts';

/** Adds a command, with the options that all have. */
export type Add = (name: string, description: string) => Command;

/** An exit code; 0 without one. */
type Result = Promise<number | void> | number | void;

/** Runs a command on the process, for its exit code. */
export type Run = (command: (io: Io) => Result) => Promise<void>;

/** An action that loads a command and runs it. @param names of its arguments, in order; its flags come along under their own names */
export const calling =
  <Args extends object>(
    run: Run,
    names: readonly (keyof Args & string)[],
    load: () => Promise<(io: Io, args: Args) => Result>,
  ) =>
  (...given: unknown[]): Promise<void> =>
    run(async (io) => {
      const named = Object.fromEntries(names.map((name, at) => [name, given[at]]));
      return (await load())(io, { ...named, ...(given.at(-2) as object) } as Args);
    });

export const speedOption = (description: string) => new Option('--speed <X|max>', description).argParser(parseSpeed);

export const brokerOption = () =>
  new Option(
    '--broker <URL>',
    'send messages over this STOMP broker: stomp://HOST:PORT, stomp+ssl://HOST:PORT, or env (ACTIVEMQ_HOST …)',
  );

/** Its values are `sets`. */
export const setOption = (): Option =>
  Object.assign(new Option('--set <section.key=value>', 'override a key of the configuration; may be repeated'), {
    attributeName: () => 'sets',
  })
    .argParser(another)
    .default([], 'none');

/** The values of an option that may come again. */
export const another = (text: string, before: string[] = []): string[] => [...before, text];

export const jsonOption = () => new Option('--json', 'print one JSON object on stdout; all else goes to stderr');

export const notifyOption = () =>
  new Option(
    '--notify <PATH>',
    'a program that is run at the first slice that stays failed, and at the end (SWF_EVENT)',
  );

export const asOfOption = () =>
  new Option('--as-of <TIME>', 'as it was then: ISO 8601, -2h, a message_id, or TIME@MESSAGE_ID');

/** Why something is asked, and in whose name. */
export const addForTheRecord = (command: Command): Command =>
  command
    .option('--reason <TEXT>', 'why, for the record')
    .option('--requested-by <NAME>', 'the person in whose name it is asked (default: the user)');

/** For the server, which starts this program in the name of its client. */
export const senderOption = () => new Option('--sender <NAME>').hideHelp();

function parseSpeed(text: string) {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (text.trim() !== '' && speed >= 0.001 && speed <= 1e6) return speed;
  throw new InvalidArgumentError('Give a number from 0.001 to 1000000 (1 is real time), or "max".');
}

export function parseCount(text: string) {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 0 to 999999999.');
}

export function parsePositive(text: string) {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 1 to 999999999.');
}

/** An age in seconds. */
export function parseAge(text: string) {
  const [, amount, unit] = /^(\d{1,6})(m|h|d|w)$/.exec(text) ?? [];
  if (unit === undefined) throw new InvalidArgumentError('Give an age such as 90m, 12h, 30d or 8w.');
  return Number(amount) * { m: 60, h: 3600, d: 86_400, w: 604_800 }[unit as 'm' | 'h' | 'd' | 'w'];
}

export const formats = ['csv', 'jsonl', 'parquet'] as const;

export type Format = (typeof formats)[number];
