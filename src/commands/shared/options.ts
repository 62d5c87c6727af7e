import { Argument, type Command, InvalidArgumentError, Option } from 'commander';

import type { Io } from './io.ts';

/** An exit code, 0 by default. */
type Result = Promise<number | void> | number | void;

/** Runs a command with the process's `Io` and uses its exit code. */
export type Run = (command: (io: Io) => Result) => Promise<void>;

/** Loads a command, chosen by its arguments. */
type Load<Args> = (args: Args) => Promise<(io: Io, args: Args) => Result>;

/**
 * For each flag, a list of other flags. Flags are written with their dashes; a word without dashes means the
 * arguments.
 */
type Flags = Readonly<Record<string, readonly string[]>>;

interface Rules {
  /** Flags that need all of the listed flags. */
  needs?: Flags;
  /** Flags that conflict with the listed flags. */
  excludes?: Flags;
}

function requireRules(command: Command, { needs = {}, excludes = {} }: Rules) {
  const isGiven = (word: string) =>
    word.startsWith('--')
      ? command.options.some((one) => one.long === word && command.getOptionValueSource(one.attributeName()) === 'cli')
      : command.args.length > 0;
  const given = (flags: Flags) => Object.entries(flags).filter(([flag]) => isGiven(flag));
  for (const [flag, others] of given(needs)) {
    const other = others.find((one) => !isGiven(one));
    if (other !== undefined) command.error(`error: ${flag} needs ${other}`);
  }
  for (const [flag, others] of given(excludes)) {
    const other = others.find(isGiven);
    if (other !== undefined) command.error(`error: ${flag} cannot be combined with ${other}`);
  }
}

/** An argument; an option; or an option given as its flags, its description and its parser. */
type Takes = Argument | Option | readonly [flags: string, about: string, ...reading: unknown[]];

interface Refinements<Args> extends Rules {
  /** The names of the arguments, if these differ from the labels in the help: EXECUTION_ID is `executionId`. */
  names?: readonly (keyof Args & string)[] | undefined;
  /** Whether this command runs if no command is named. */
  isDefault?: boolean;
}

/** Adds commands to a program: each with its usage, description, arguments and the function that runs it. */
export const adding =
  (program: Command, run: Run) =>
  <Args extends object>(
    usage: string,
    about: string,
    takes: readonly Takes[],
    load: Load<Args>,
    { names: given, isDefault = false, ...rules }: Refinements<Args> = {},
  ) => {
    const command = program.command(usage, { isDefault }).description(about);
    for (const taken of takes)
      if (taken instanceof Argument) command.addArgument(taken);
      else if (taken instanceof Option) command.addOption(taken);
      else command.option(...(taken as [flags: string, about: string]));
    const names = given ?? command.registeredArguments.map((argument) => propertyOf(argument.name()));
    return command.action((...all: unknown[]) => {
      requireRules(command, rules);
      // Options are named after their flags.
      const args = { ...Object.fromEntries(names.map((name, at) => [name, all[at]])), ...command.opts() } as Args;
      return run(async (io) => (await load(args))(io, args));
    });
  };

export type Add = ReturnType<typeof adding>;

const propertyOf = (name: string) =>
  name.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());

export const speedOption = (description: string) => new Option('--speed <X|max>', description).argParser(parseSpeed);

export const brokerOption = (use = 'send messages over this STOMP broker') =>
  new Option(
    '--broker <URL>',
    `${use}: stomp://HOST:PORT, stomp+ssl://HOST:PORT, or "env" to read ACTIVEMQ_HOST and related variables`,
  );

/** The option `--set`, whose values become `sets`. */
export const setOption = () =>
  Object.assign(new Option('--set <section.key=value>', 'override a configuration key; may be repeated'), {
    attributeName: () => 'sets',
  })
    .argParser(another)
    .default([], 'none');

/** Collects the values of an option that may be repeated. */
export const another = (text: string, before: string[] = []) => [...before, text];

export const jsonOption = () => new Option('--json', 'print one JSON object on stdout, and everything else on stderr');

export const notifyOption = () =>
  new Option(
    '--notify <PATH>',
    'run this program when the first slice fails permanently, and at the end (see SWF_EVENT)',
  );

export const asOfOption = () =>
  new Option('--as-of <TIME>', 'show the state as of this time: ISO 8601, -2h, a message_id, or TIME@MESSAGE_ID');

/** Options that record why something is requested, and on whose behalf. */
export const forTheRecord = [
  ['--reason <TEXT>', 'reason, for the record'],
  ['--requested-by <NAME>', 'the person who requests it (default: the current user)'],
] as const;

/** A hidden option for a server that starts this program on behalf of its client. */
export const senderOption = () => new Option('--sender <NAME>').hideHelp();

function parseSpeed(text: string) {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (text.trim() !== '' && speed >= 0.001 && speed <= 1e6) return speed;
  throw new InvalidArgumentError('Give a number from 0.001 to 1000000 (1 is real time), or "max".');
}

/** Refuses an empty path: it is more likely an empty variable in a script than a folder. */
export function parseStore(text: string) {
  if (text !== '') return text;
  throw new InvalidArgumentError('Give the path of a store, or leave out --db to use the default one.');
}

export function parseCount(text: string) {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 0 to 999999999.');
}

export function parsePositive(text: string) {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 1 to 999999999.');
}

/** Parses an age; returns seconds. */
export function parseAge(text: string) {
  const [, amount, unit] = /^(\d{1,6})(m|h|d|w)$/.exec(text) ?? [];
  if (unit === undefined) throw new InvalidArgumentError('Give an age such as 90m, 12h, 30d or 8w.');
  return Number(amount) * { m: 60, h: 3600, d: 86_400, w: 604_800 }[unit as 'm' | 'h' | 'd' | 'w'];
}

export const formats = ['csv', 'jsonl', 'parquet'] as const;

export type Format = (typeof formats)[number];
