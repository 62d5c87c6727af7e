import { join } from 'node:path';

import type { Counts } from '../agents/ports.ts';
import type { BrokerSettings } from '../broker/connection.ts';
import type { Config } from '../config/load.ts';
import { createQueries } from '../db/queries.ts';
import type { Store } from '../db/sqlite/open-store.ts';
import type { Speed } from '../domain/params.ts';
import { createLog } from '../lib/logger.ts';
import { isAlive } from '../lib/process-identity.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import type { RunningWorkflow, WorkflowOptions } from '../runtime/start-execution.ts';
import { type Io, logLevel, storeOption, userName } from './io.ts';
import { startLive } from './live/live.ts';
import { exitCodeOf, readEnding, summaryLines } from './summary.ts';

/** What `run` and `resume` share: an execution is driven to its end, and its summary is shown. */
export async function driveToEnd(
  io: Io,
  {
    store,
    config,
    speed,
    json,
    broker,
  }: { store: Store; config: Config; speed: Speed; json: boolean; broker: BrokerSettings | undefined },
  start: (options: WorkflowOptions) => Promise<RunningWorkflow>,
): Promise<number> {
  io.keepGoingWithoutOutput();
  const queries = createQueries(store.db, isAlive);
  const terminal = io.terminal(json ? 'err' : 'out');
  const live = terminal === undefined ? undefined : startLive(terminal, () => queries, storeOption(io));
  const plain = json ? (line: string) => io.err(line) : (line: string) => io.out(`${line}\n`);
  const say = (line: string): void => (live === undefined ? plain(line) : live.print(line));
  let interruptedBy: string | undefined;
  let running: RunningWorkflow | undefined;
  const stop = (): void => {
    if (running === undefined || interruptedBy === undefined) return;
    say(`${interruptedBy}: ending the run in order; once more ends it at once`);
    store.hurry();
    // If the request cannot be recorded, the run itself fails on the same store and says so.
    running.stop(`interrupted by ${interruptedBy}`).catch(() => {});
  };
  // From the first moment on: what is begun gets its end.
  io.onInterrupt((signal) => {
    interruptedBy = signal;
    stop();
  });
  try {
    running = await start({
      store,
      config,
      speed,
      user: userName(io),
      logLevel: logLevel(io),
      environment: io.env,
      broker,
      // Warnings that go to the same terminal must not be painted over.
      log: createLog('WARNING', (line) => (live !== undefined && io.terminal('err') ? live.print(line) : io.err(line))),
      // The view shows what they come to; every line is in the store.
      ...(live === undefined ? {} : { agentLog: { write: () => {} } }),
      onProgress: (executionId, types) => {
        if (live !== undefined) return;
        for (const type of types) {
          const line = stageLine(type, () => queries.execution(executionId));
          if (line !== undefined) say(line);
        }
      },
    });
    say(`execution ${running.execution_id}, run ${running.run_number}, speed ${speed}, store ${store.path}`);
    live?.show(running.execution_id);
    stop();
    await running.done;
  } finally {
    live?.end();
  }
  const ending = readEnding(queries, running.execution_id);
  if (json) io.out(`${JSON.stringify(ending.summary)}\n`);
  else
    for (const line of summaryLines(ending, dataFolderOf(config, running.execution_id), storeOption(io))) plain(line);
  return exitCodeOf(ending.summary, interruptedBy !== undefined);
}

export function dataFolderOf({ data }: Config, executionId: string): string | undefined {
  return data.write_files && data.dir !== undefined ? join(data.dir, executionId) : undefined;
}

/** One line for each stage that a run comes to; none for the many messages of files and slices. */
function stageLine(type: MessageType, counts: () => Counts): string | undefined {
  switch (type) {
    case 'run_imminent':
      return 'run_imminent: agents prepare';
    case 'start_run':
      return 'start_run: physics';
    case 'pause_run':
      return `pause_run: standby after ${counts().stf_count} STF files`;
    case 'resume_run':
      return 'resume_run: physics';
    case 'end_run':
      return `end_run: ${counts().stf_count} STF files`;
    case 'workflow_ended':
      return `workflow_ended: ${counts().slices_completed} of ${counts().slices_created} TF slices are completed`;
    default:
      return undefined;
  }
}
