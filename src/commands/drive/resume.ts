import { brokerSettings } from '../../config/broker.ts';
import { requireRunnable } from '../../config/payload-command.ts';
import { requireRealTime } from '../../config/policies.ts';
import { requireExecution, requireOwn } from '../../db/execution/find-execution.ts';
import { executionParams } from '../../db/execution/params.ts';
import { openExistingStore } from '../../db/opening/open-store.ts';
import type { Store } from '../../db/opening/store.ts';
import type { ProcessSigns } from '../../db/presence/leases.ts';
import { recorderOf } from '../../db/presence/recorders.ts';
import { createQueries } from '../../db/queries.ts';
import { pausedBy } from '../../db/reports/landmarks.ts';
import type { Speed } from '../../domain/params.ts';
import { configInvalid } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { askRecorder, isDriven } from '../../runtime/commands.ts';
import { requireOwnFiles } from '../../runtime/data-folder.ts';
import { resumeExecution } from '../../runtime/start-execution.ts';
import { type ControlArguments, requireControlOptions } from '../control/control-options.ts';
import { type Io, exitCodes, logLevel, storeOption, storeOptions, storePath, userName } from '../shared/io.ts';
import { printLines } from '../shared/print-lines.ts';
import { driveToEnd, recordedConfig } from './drive.ts';
import { tellEnding } from './summary.ts';

interface ResumeArguments extends ControlArguments {
  broker: string | undefined;
  speed: Speed | undefined;
  json: boolean;
}

/** `swf-mcp resume`: goes on with an interrupted execution; shows the summary of an ended execution. Returns the exit code. */
export async function resumeCommand(io: Io, args: ResumeArguments): Promise<number> {
  requireControlOptions(args);
  userName(io);
  logLevel(io);
  using store = await openExistingStore(storePath(io), storeOptions(io));
  const { executionId, broker, speed, json } = args;
  const execution = requireOwn(requireExecution(store.sql, executionId), 'be taken up');
  const { execution_id } = execution;
  const config = recordedConfig(store, execution_id);
  if (execution.status !== 'running') {
    const sentence = `${execution_id} has ended (${execution.status}); there is nothing to do`;
    if (json) io.err(sentence);
    else printLines(io, [sentence]);
    io.tellParent({ event: 'done' });
    return tellEnding(io, createQueries(store.db, isAlive), execution_id, { json, config, isInterrupted: false });
  }
  const settings = brokerSettings(broker, config.broker, io.env);
  if (settings !== undefined && config.broker.url === undefined)
    throw configInvalid(
      `${execution_id} runs in one process, so nothing of it is on a broker; resume it without --broker`,
    );
  const recorder = settings && recorderOf(store.sql, execution.namespace, isAlive);
  if (recorder?.observes === 0 && speed === undefined && !isDriven(store, execution_id, isAlive))
    return await resumeThere(io, store, recorder, { ...args, executionId: execution_id });
  requireOwnFiles(store, execution, config);
  requireRunnable(config, io.env['PATH']);
  tellOfPause(io, store, execution_id);
  const recorded = executionParams(store.sql, execution);
  const goesOnAt = speed ?? recorded.speed;
  if (settings !== undefined) requireRealTime(goesOnAt);
  return await driveToEnd(io, { store, config, speed: goesOnAt, json, broker: settings }, (options) =>
    resumeExecution(
      { ...options, sender: args.sender },
      { execution_id, speed: goesOnAt, claimedBy: args.requestedBy, reason: args.reason },
    ),
  );
}

/** Asks the recorder of the namespace to resume it: a second recorder would know only half of the messages. */
async function resumeThere(io: Io, store: Store, recorder: ProcessSigns, args: ResumeArguments): Promise<number> {
  const { executionId, json, sender, requestedBy: claimed, reason } = args;
  tellOfPause(io, store, executionId);
  await askRecorder(store, executionId, { recorder, by: { name: sender ?? userName(io), claimed }, reason });
  const by = `process ${recorder.pid} on ${recorder.hostname}`;
  io.tellParent({ event: 'resumed', by });
  const sentence = `${executionId} goes on, driven by ${by}, which records its namespace; see "swf-mcp${storeOption(io)} status ${executionId}"`;
  if (json) io.err(sentence);
  else printLines(io, [sentence]);
  return exitCodes.fine;
}

/** An operator's pause ends with its driver: the user who resumes must know of it. */
function tellOfPause(io: Io, store: Store, executionId: string): void {
  const { sql } = store;
  const pause = pausedBy(sql, requireExecution(sql, executionId));
  // It is not resumed while its driver lives.
  if (pause === undefined || isDriven(store, executionId, isAlive)) return;
  const why = pause.reason === undefined ? '' : ` (${pause.reason})`;
  io.err(
    printable(
      `WARNING ${pause.name} had paused it at ${pause.time}${why}; it goes on now: pause it again with "swf-mcp${storeOption(io)} pause ${executionId}"`,
    ),
  );
}
