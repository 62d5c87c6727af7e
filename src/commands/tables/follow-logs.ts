import { pause } from '../../lib/deadline.ts';
import { valueInvalid } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { withPlainTimes } from '../../lib/words.ts';
import { exitCodes, interruptionOf, type Io } from '../shared/io.ts';
import { createStoreReader } from '../shared/store-reader.ts';
import type { TableCommand } from './catalogue.ts';
import type { Item } from './cells.ts';
import { pageAsker, pageRows, type TableArguments, toolArguments } from './table-command.ts';

/** How often to check for new lines, in milliseconds. */
const lookMilliseconds = 250;

/** How many earlier lines to show without `--limit`. */
const earlierLines = 20;

/**
 * `swf-mcp logs -f`: prints the last lines and then each new one, until the execution ends or the user
 * interrupts. Returns the exit code.
 */
export const followLogs = (table: TableCommand) => async (io: Io, given: TableArguments) => {
  requireLines(given.output);
  const interrupted = interruptionOf(io);
  using reader = createStoreReader(io);
  const askPage = pageAsker(io, reader);
  const asked = toolArguments(table, given);
  // The output ends only if one execution is followed: a named one, or the newest.
  const named = asked['execution_id'];
  const followed = typeof named === 'string' ? reader.queries().execution(named).execution_id : undefined;
  const isOver = () => followed !== undefined && reader.queries().execution(followed).status !== 'running';
  const args = { ...asked, execution_id: followed, order: 'newest' };
  let seen: number | undefined;
  while (!interrupted.aborted) {
    // Checked before reading, since the last lines are written before the execution ends.
    const isLast = isOver();
    const fresh: Item[] = [];
    let cursor: string | undefined;
    do {
      const limit = seen === undefined ? (given.limit ?? earlierLines) : pageRows;
      const page = await askPage(table.tool, { ...args, limit: Math.min(limit, pageRows), cursor });
      const news = page.items.filter((item) => seen === undefined || Number(item['log_id']) > seen);
      fresh.push(...news);
      cursor = news.length < page.items.length || seen === undefined ? undefined : page.next_cursor;
    } while (cursor !== undefined);
    for (const item of fresh.toReversed()) io.out(`${lineOf(item, given.output)}\n`);
    seen = Number(fresh[0]?.['log_id'] ?? seen ?? 0);
    if (isLast) return exitCodes.fine;
    await pause(lookMilliseconds, [interrupted]);
  }
  return exitCodes.interrupted;
};

function requireLines(output: TableArguments['output']) {
  if (output === 'csv' || output === 'wide')
    throw valueInvalid(`-f writes lines, or JSON with -o json; leave out -o ${output}`);
}

function lineOf(item: Item, output: TableArguments['output']) {
  if (output === 'json') return JSON.stringify(item);
  const { timestamp, level, agent, message } = item as Record<string, string>;
  return withPlainTimes(printable(`${timestamp} ${(level ?? '').padEnd(7)} ${agent}: ${message}`));
}
