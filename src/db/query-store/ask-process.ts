import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import pLimit from 'p-limit';

import { type ErrorCode, storeUnavailable, SwfError } from '../../lib/errors.ts';
import { processorMilliseconds } from '../../lib/process-identity.ts';
import type { SqlAnswer } from './answer-sql.ts';
import { checkSql } from './check-sql.ts';

export interface QueryOrder {
  path: string;
  sql: string;
}

export type QueryReply = { answer: SqlAnswer } | { code: ErrorCode; message: string };

/** Maximum processor time of a query. */
const maxMilliseconds = 2000;

/**
 * Maximum wall time of a query, which applies if the machine is busy with other work, or the system does not
 * report processor time.
 */
const longestMilliseconds = 15 * maxMilliseconds;

/**
 * The limit on concurrent processes. Further queries wait for their turn; their time limits begin when they
 * start to run.
 */
const turns = pLimit(2);

/** The limit on JavaScript's own memory, in megabytes; SQLite has its own limit. */
const heapLimit = 256;

/** The program file is next to the bundle. */
const program = fileURLToPath(new URL('./query-process.js', import.meta.url));

/**
 * Runs one SQL query on a store file, in a process that is killed after two seconds of processor time, or
 * thirty of wall time. Throws `ARGUMENT_INVALID` if the query is not allowed, is wrong, or takes too much
 * time or memory.
 */
export async function askProcess(path: string, sql: string, signal: AbortSignal): Promise<SqlAnswer> {
  checkSql(sql);
  if (!existsSync(program))
    throw storeUnavailable(`${program}, which runs SQL queries, is missing; install swf-mcp again`);
  const reply = await turns(() => replyOf({ path, sql }, signal));
  if ('answer' in reply) return reply.answer;
  throw new SwfError(reply.code, reply.message);
}

const replyOf = (order: QueryOrder, signal: AbortSignal): Promise<QueryReply> =>
  new Promise((resolve) => {
    const child = fork(program, {
      execArgv: [`--max-old-space-size=${heapLimit}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    let limit: NodeJS.Timeout | undefined;
    const end = (reply: QueryReply) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', giveUp);
      child.kill('SIGKILL');
      resolve(reply);
    };
    const refuse = (message: string) => end({ code: 'ARGUMENT_INVALID', message: `sql ${message}` });
    const giveUp = () => refuse('was cancelled before it was answered');
    const endIn = (milliseconds: number, until: number) => {
      limit = setTimeout(() => {
        const left = maxMilliseconds - (processorMilliseconds(child.pid ?? 0) ?? Infinity);
        const wait = Math.min(Math.max(left, 50), until - performance.now());
        if (left > 0 && wait > 0) return endIn(wait, until);
        return refuse(
          `took longer than ${maxMilliseconds / 1000} s and was stopped; ask for less: name one execution_id, and avoid endless recursion`,
        );
      }, milliseconds);
    };
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp);
    child.on('message', (said) => {
      if (said !== 'ready') return end(said as QueryReply);
      endIn(maxMilliseconds, performance.now() + longestMilliseconds);
      child.send(order, () => {});
      return undefined;
    });
    child.on('error', (error) => end(notStarted(error.message)));
    child.on('exit', (code, killedBy) =>
      killedBy === 'SIGABRT' || code === 134
        ? refuse(`needs more than ${heapLimit} MB of memory; narrow the query`)
        : end(notStarted(`it ended with ${code ?? killedBy}`)),
    );
  });

const notStarted = (why: string): QueryReply => ({
  code: 'STORE_UNAVAILABLE',
  message: `the process that runs SQL failed: ${why}; ask again`,
});
