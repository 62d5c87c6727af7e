import * as z from 'zod';

import type { LogRow } from '../db/lists/logs.ts';
import { argumentInvalid } from '../lib/errors.ts';
import { logLevels } from '../lib/logger.ts';
import { pageAnswer } from './answers/page.ts';
import { clipShown } from './shared/clip.ts';
import { listPage } from './shared/list.ts';
import { executionId, listArguments, runNumber, text, textOrNumber } from './shared/params.ts';
import { otherWords, words } from './shared/search.ts';
import { defineTool } from './shared/tool.ts';

const shownMessage = 2000;
const shownContext = 2000;

const levelNames = Object.keys(logLevels) as (keyof typeof logLevels)[];

const itemOf = () =>
  z.strictObject({
    log_id: z.int(),
    timestamp: z.string(),
    level: z.string(),
    agent: z.string(),
    message: z.string(),
    execution_id: z.string().optional(),
    run_id: z.string().optional(),
    context: z.string().optional().describe('JSON, cut at 2,000 characters'),
  });

export const listLogsTool = defineTool({
  name: 'list_logs',
  title: 'List agent logs',
  description:
    'The log lines of the agents, in the order of recording. Why did it fail: level="ERROR". One agent: agent="fastmon-agent-…". ' +
    'No time window is applied unless you give one. For the messages that agents exchanged use list_messages.',
  takesLong: ({ search }) => search !== undefined,
  takesMoment: true,
  input: () =>
    z.strictObject({
      execution_id: executionId,
      run_number: runNumber,
      agent: text('Such as data-agent-shifter-481'),
      level: textOrNumber(20, `This level and above: ${levelNames.join(', ')}, or 10 to 50`),
      search: words('Whole words in sequence'),
      ...listArguments('timestamp'),
    }),
  output: () => pageAnswer(itemOf()),
  aliases: { instance_name: 'agent', app_name: 'agent' },
  handle(args, context) {
    const level = args.level === undefined ? undefined : levelNumber(args.level);
    return listPage('list_logs', args, context, {
      ask: (question, page) => context.queries.logs({ ...question, level }, page),
      values: { agent: 'log agent' },
      whenEmpty: (question) => otherWords({ ...question, level }, context.queries.logs),
      item: itemOf,
      computed,
    });
  },
});

/** Other words for levels, as Python's logging has them. */
const aliases: Readonly<Record<string, string>> = { WARN: 'WARNING', FATAL: 'CRITICAL' };

function levelNumber(level: string): number {
  const word = level.trim().toUpperCase();
  const name = (Object.hasOwn(aliases, word) && aliases[word]) || word;
  if (Object.hasOwn(logLevels, name)) return logLevels[name as keyof typeof logLevels];
  if (/^\d{1,2}$/.test(name)) return Number(name);
  throw argumentInvalid(
    `level = ${JSON.stringify(level)} is no log level; give ${levelNames.join(', ')}, or a number from 0 to 99`,
  );
}

const computed = (row: LogRow) => ({
  log_id: row.key,
  level: levelNames.findLast((name) => logLevels[name] <= row.level) ?? String(row.level),
  message: clipShown(row.message, shownMessage),
  context: row.context === null ? undefined : clipShown(row.context, shownContext),
});
