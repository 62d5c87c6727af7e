import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { type ErrorCode, SwfError } from '../../lib/errors.ts';
import type { SqlAnswer } from './answer-sql.ts';
import { checkSql } from './check-sql.ts';

export interface QueryOrder {
  path: string;
  sql: string;
}

export type QueryReply = { answer: SqlAnswer } | { code: ErrorCode; message: string };

const mostMilliseconds = 2000;

/** Megabytes of JavaScript's own memory; SQLite has a limit of its own. */
const heapLimit = 256;

/** Beside the bundle. */
const program = fileURLToPath(new URL('./query-process.js', import.meta.url));

/**
 * Asks one question in SQL of the store in a file, in a process of its own that is killed after two seconds. Throws `ARGUMENT_INVALID` where the
 * question may not be asked, is wrong, or takes too long or too much memory.
 */
export async function askProcess(path: string, sql: string, signal: AbortSignal): Promise<SqlAnswer> {
  checkSql(sql);
  if (!existsSync(program))
    throw new SwfError('STORE_UNAVAILABLE', `${program} is missing, which answers SQL; install swf-mcp again`);
  const reply = await replyOf({ path, sql }, signal);
  if ('answer' in reply) return reply.answer;
  throw new SwfError(reply.code, reply.message);
}

function replyOf(order: QueryOrder, signal: AbortSignal): Promise<QueryReply> {
  return new Promise((resolve) => {
    const child = fork(program, {
      execArgv: [`--max-old-space-size=${heapLimit}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    const end = (reply: QueryReply): void => {
      clearTimeout(limit);
      signal.removeEventListener('abort', giveUp);
      child.kill('SIGKILL');
      resolve(reply);
    };
    const refuse = (message: string): void => end({ code: 'ARGUMENT_INVALID', message: `sql ${message}` });
    const giveUp = (): void => refuse('was given up before its answer was there');
    const limit = setTimeout(
      () =>
        refuse(
          `took longer than ${mostMilliseconds / 1000} s and was ended; ask for less: one execution_id, no recursion without an end`,
        ),
      mostMilliseconds,
    );
    signal.addEventListener('abort', giveUp);
    child.on('message', (reply) => end(reply as QueryReply));
    child.on('error', (error) =>
      end({ code: 'STORE_UNAVAILABLE', message: `no process could be started: ${error.message}` }),
    );
    child.on('exit', () => refuse(`needs more than ${heapLimit} MB of memory; ask for less`));
    child.send(order, () => {});
  });
}
