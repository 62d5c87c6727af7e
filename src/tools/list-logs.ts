import { valueInvalid } from '../lib/errors.ts';
import { logLevels } from '../lib/logger.ts';
import { clipShown } from './shared/clip.ts';
import { defineList } from './shared/list.ts';
import { otherWords, words } from './shared/nowhere.ts';
import { executionId, runNumber, text, textOrNumber } from './shared/tool.ts';

const shownMessage = 2000;
const shownContext = 2000;

const levelNames = Object.keys(logLevels) as (keyof typeof logLevels)[];

export const listLogsTool = defineList({
  name: 'list_logs',
  title: 'List agent logs',
  description:
    'Log lines of agents, in the order recorded. For failures: level="ERROR"; for one agent: agent="fastmon-agent-…". ' +
    'Default period: all time. For messages between agents, use list_messages.',
  takesLong: ({ search }) => search !== undefined,
  input: () => ({
    execution_id: executionId,
    run_number: runNumber,
    agent: text('Such as data-agent-shifter-481'),
    level: textOrNumber(20, `This level and above: ${levelNames.join(', ')}, or 10 to 50`),
    search: words('Whole words, in order'),
  }),
  window: 'timestamp',
  aliases: { instance_name: 'agent', app_name: 'agent' },
  ask({ queries }, args) {
    const level = levelNumber(args.level);
    return (question, page) => queries.logs({ ...question, level }, page);
  },
  agents: 'log agent',
  whenEmpty: ({ queries }, question) => otherWords({ ...question, level: levelNumber(question.level) }, queries.logs),
  computed: () => (row) => ({
    log_id: row.key,
    level: levelNames.findLast((name) => logLevels[name] <= row.level) ?? String(row.level),
    message: clipShown(row.message, shownMessage),
    context: clipShown(row.context, shownContext),
  }),
});

/** Aliases for levels, as in Python's logging. */
const aliases: Readonly<Record<string, string>> = { WARN: 'WARNING', FATAL: 'CRITICAL' };

function levelNumber(level: string | undefined) {
  if (level === undefined) return undefined;
  const word = level.trim().toUpperCase();
  const name = (Object.hasOwn(aliases, word) && aliases[word]) || word;
  if (Object.hasOwn(logLevels, name)) return logLevels[name as keyof typeof logLevels];
  if (/^\d{1,2}$/.test(name)) return Number(name);
  throw valueInvalid(
    `level = ${JSON.stringify(level)} is not a log level; give ${levelNames.join(', ')}, or a number from 0 to 99`,
  );
}
