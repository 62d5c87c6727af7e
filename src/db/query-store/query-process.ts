import { Worker } from 'node:worker_threads';

import { SwfError } from '../../lib/errors.ts';
import { openReader } from '../opening/open-reader.ts';
import { answerSql } from './answer-sql.ts';
import type { QueryOrder, QueryReply } from './ask-process.ts';

/**
 * The process for one SQL query. It is killed if the query takes too long, since SQLite cannot be interrupted
 * from within.
 */
process.on('message', ({ path, sql }: QueryOrder) => {
  // If the server dies, this thread kills the process, since the main thread handles no events while SQLite
  // runs.
  const isAlone = `process.ppid !== ${process.ppid}`;
  const guard = new Worker(`setInterval(() => ${isAlone} && process.kill(process.pid, 'SIGKILL'), 500)`, {
    eval: true,
  });
  guard.on('online', () => process.send?.(reply(path, sql), () => process.exit()));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

function reply(path: string, sql: string): QueryReply {
  try {
    return { answer: answerSql(openReader(path), sql) };
  } catch (error) {
    if (error instanceof SwfError) return { code: error.code, message: error.message };
    return { code: 'ARGUMENT_INVALID', message: `sql: ${error instanceof Error ? error.message : String(error)}` };
  }
}
