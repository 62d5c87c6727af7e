import { realpathSync } from 'node:fs';

import type { BrokerSettings } from '../broker/connection.ts';
import { brokerSettings } from '../config/broker.ts';
import { type Config, parseRecordedConfig } from '../config/load.ts';
import { requireExecution, startMessage } from '../db/lists/executions.ts';
import { homeOf } from '../db/maintenance/prune.ts';
import { createQueries } from '../db/queries.ts';
import { openExistingStore, type Store } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import type { Speed } from '../domain/params.ts';
import { SwfError } from '../lib/errors.ts';
import { isAlive } from '../lib/process-identity.ts';
import { resumeWorkflow } from '../runtime/start-execution.ts';
import { dataFolderOf, driveToEnd } from './drive.ts';
import { type Io, logLevel, storeOption, storeOptions, storePath, userName } from './io.ts';
import { refuseVirtualTime } from './run.ts';
import { exitCodeOf, readEnding, summaryLines } from './summary.ts';

export interface ResumeArguments {
  executionId: string;
  broker: string | undefined;
  speed: Speed | undefined;
  json: boolean;
}

/** `swf-mcp resume`: goes on with an interrupted execution; shows the summary of one that has ended. Returns the exit code. */
export async function resumeCommand(io: Io, { executionId, broker, speed, json }: ResumeArguments): Promise<number> {
  userName(io);
  logLevel(io);
  const path = storePath(io);
  const store = await openExistingStore(path, storeOptions(io));
  try {
    const sql = preparer(store.db);
    const execution = requireExecution(sql, executionId);
    const setup = recordedSetup(io, store, execution.execution_id);
    const { config } = setup;
    if (execution.status !== 'running') {
      const ending = readEnding(createQueries(store.db, isAlive), execution.execution_id);
      if (json) io.out(`${JSON.stringify(ending.summary)}\n`);
      else
        for (const line of summaryLines(ending, dataFolderOf(config, execution.execution_id), storeOption(io)))
          io.out(`${line}\n`);
      return exitCodeOf({ ...ending.summary, status: 'completed', slices_failed: 0 }, false);
    }
    const settings = setup.broker(broker);
    if (settings !== undefined && config.broker.url === undefined) {
      throw new SwfError(
        'CONFIG_INVALID',
        `${execution.execution_id} runs in one process, so nothing of it is on a broker; resume it without --broker`,
      );
    }
    refuseCopy(store, execution.execution_id, config);
    const goesOnAt = speed ?? setup.speed;
    if (settings !== undefined) refuseVirtualTime(goesOnAt);
    return await driveToEnd(io, { store, config, speed: goesOnAt, json, broker: settings }, (options) =>
      resumeWorkflow(options, execution.execution_id),
    );
  } finally {
    store.close();
  }
}

/** The data files are those of the store that this one is a copy of, which may go on too. Throws `EXECUTION_IN_USE`. */
function refuseCopy({ db, path }: Store, executionId: string, { data }: Config): void {
  const home = homeOf(preparer(db));
  if (!data.write_files || home === undefined || home === realpathSync(path)) return;
  throw new SwfError(
    'EXECUTION_IN_USE',
    `${executionId} writes into the data folder of the store ${home}, of which ${path} is a copy; to go on with the copy, end what uses that store and move the copy into its place`,
  );
}

/** How an execution was started, as its log tells. */
export function recordedSetup(
  io: Io,
  store: Store,
  executionId: string,
): { config: Config; speed: Speed; broker: (flag?: string) => BrokerSettings | undefined } {
  const { params, speed } = startMessage(preparer(store.db), executionId);
  const config = parseRecordedConfig(params, executionId);
  return { config, speed, broker: (flag) => brokerSettings(flag, config.broker, io.env) };
}
