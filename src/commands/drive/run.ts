import { brokerSettings } from '../../config/broker.ts';
import { asRecorded } from '../../config/load.ts';
import { requireRunnable } from '../../config/payload-command.ts';
import {
  requireEveryAgent,
  requireOwnNamespace,
  requireRealTime,
  requireRecorderAgents,
} from '../../config/policies.ts';
import { type OwnExecution, requireExecution, requireOwn } from '../../db/execution/find-execution.ts';
import { executionParams } from '../../db/execution/params.ts';
import type { Store } from '../../db/opening/store.ts';
import { interruptedExecutions, type ProcessSigns } from '../../db/presence/leases.ts';
import { recorderOf } from '../../db/presence/recorders.ts';
import { createQueries } from '../../db/queries.ts';
import { pausedBy } from '../../db/reports/landmarks.ts';
import type { Speed } from '../../domain/params.ts';
import { counted, were } from '../../lib/counted.ts';
import { configInvalid } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { clause, shownTime } from '../../lib/words.ts';
import { askRecorder, isDriven } from '../../runtime/commands.ts';
import { requireOwnFiles } from '../../runtime/data-folder.ts';
import { resumeExecution, startExecution } from '../../runtime/start-execution.ts';
import { statusWords, stayFailed } from '../../tools/monitor/words.ts';
import { type ControlArguments, requireControlOptions } from '../control/control-options.ts';
import { configOf } from '../shared/configured.ts';
import { exitCodes, type Io, logLevel, storePath, userName } from '../shared/io.ts';
import { existingStore, ownStore } from '../shared/own-store.ts';
import { printLines } from '../shared/print-lines.ts';
import { driveToEnd, recordedConfig } from './drive.ts';
import { requireProgram } from './notify.ts';
import { tellEnding } from './summary.ts';

interface RunArguments {
  config?: string;
  broker?: string;
  stfCount?: number;
  speed?: Speed;
  sets: string[];
  json: boolean;
  notify?: string;
  /** The client on whose behalf a server has started this process. */
  sender?: string;
}

/** `swf-mcp run`: one execution from start to end. Returns the exit code. */
export async function runCommand(io: Io, args: RunArguments) {
  // Check the environment before creating anything.
  userName(io);
  logLevel(io);
  const notify = requireProgram(io, args.notify);
  const setup = setupOf(io, args);
  using store = await ownStore(io);
  tellOfInterrupted(io, store, setup.config.testbed.namespace);
  const { speed } = setup;
  return await driveToEnd(io, { store, ...setup, json: args.json, notify }, (options) =>
    startExecution({ ...options, sender: args.sender }, { speed, configName: args.config }),
  );
}

function setupOf(io: Io, { config, broker: flag, stfCount, speed: given, sets }: RunArguments) {
  const stfFiles = stfCount === undefined ? [] : [`fast_processing.stf_count=${stfCount}`];
  const loaded = configOf(io, { config, sets: [...sets, ...stfFiles] });
  requireRunnable(loaded.config, io.env['PATH']);
  for (const warning of loaded.warnings) io.err(`WARNING ${warning}`);
  const broker = brokerSettings(flag, loaded.config.broker, io.env);
  const speed = given ?? (loaded.config.workflow.realtime ? 1 : 'max');
  if (broker === undefined) requireEveryAgent(loaded.config);
  else {
    requireOwnNamespace(loaded);
    requireRecorderAgents(loaded.config);
    requireRealTime(speed);
  }
  return { config: asRecorded(loaded.config, storePath(io), io.workingFolder, broker), speed, broker };
}

const toldInterrupted = 3;

/** Warns about interrupted executions of a namespace: a new execution does not end them. */
function tellOfInterrupted(io: Io, { sql }: Store, namespace: string) {
  const interrupted = interruptedExecutions(sql, namespace, isAlive);
  const next = (name: string, id: string) => `"swf-mcp ${name} ${id}"`;
  for (const { execution_id, last_beat } of interrupted.slice(0, toldInterrupted))
    io.err(
      `WARNING ${execution_id} of this namespace was interrupted (last heard from at ${shownTime(last_beat)}); resume it with ${next('resume', execution_id)}, or end it with ${next('stop', execution_id)}`,
    );
  const more = interrupted.length - toldInterrupted;
  if (more > 0)
    io.err(
      `WARNING ${were(more, 'other execution')} interrupted; list_workflow_executions(status="running") lists them`,
    );
}

interface ResumeArguments extends ControlArguments {
  broker?: string;
  speed?: Speed;
  json: boolean;
}

/**
 * `swf-mcp resume`: resumes an interrupted execution; shows the summary of an ended execution. Returns the
 * exit code.
 */
export async function resumeCommand(io: Io, args: ResumeArguments) {
  requireControlOptions(args);
  userName(io);
  logLevel(io);
  using store = await existingStore(io);
  const { executionId, broker, speed, json } = args;
  const execution = requireOwn(requireExecution(store.sql, executionId), 'be resumed');
  const { execution_id } = execution;
  const config = recordedConfig(store, execution_id);
  if (execution.status !== 'running') {
    const sentence = whyNotResumed(execution);
    tell(io, sentence, json);
    io.tellParent({ event: 'done' });
    return tellEnding(io, createQueries(store.db, isAlive), execution_id, { json, config, isInterrupted: false });
  }
  const settings = brokerSettings(broker, config.broker, io.env);
  if (settings !== undefined && config.broker.url === undefined)
    throw configInvalid(`${execution_id} runs in one process and uses no broker; resume it without --broker`);
  const recorder = settings && recorderOf(store.sql, execution.namespace, isAlive);
  if (recorder?.observes === 0 && speed === undefined && !isDriven(store, execution_id, isAlive))
    return await resumeThere(io, store, recorder, { ...args, executionId: execution_id });
  requireOwnFiles(store, execution, config);
  requireRunnable(config, io.env['PATH'], 'put it back: a resumed run keeps the program it was started with');
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

type Ended = Pick<OwnExecution, 'execution_id' | 'status' | 'status_reason' | 'slices_queued' | 'slices_failed'>;

/** Says how an execution ended, what it left undone, and what to do about that. */
export function whyNotResumed(ended: Ended) {
  const { execution_id, status, status_reason, slices_queued, slices_failed } = ended;
  const has = `${execution_id} has ended: ${statusWords(status, status_reason)}`;
  if (status === 'completed' && slices_failed === 0) return `${has}; there is nothing to do`;
  return [
    has,
    ...(slices_failed > 0 ? [stayFailed(counted(slices_failed, 'TF slice'))] : []),
    ...(slices_queued > 0 ? [`${counted(slices_queued, 'TF slice')} unfinished`] : []),
    'it cannot be resumed, so start a new run',
  ].join('; ');
}

/**
 * Asks the recorder of the namespace to resume an execution: if a second recorder resumed it, each of the two
 * would receive only part of the messages.
 */
async function resumeThere(io: Io, store: Store, recorder: ProcessSigns, args: ResumeArguments) {
  const { executionId, json, sender, requestedBy: claimed, reason } = args;
  tellOfPause(io, store, executionId);
  await askRecorder(store, executionId, { recorder, by: { name: sender ?? userName(io), claimed }, reason });
  const by = `process ${recorder.pid} on ${recorder.hostname}`;
  io.tellParent({ event: 'resumed', by });
  const sentence = `${executionId} continues, driven by ${by}, which records its namespace; see "swf-mcp status ${executionId}"`;
  tell(io, sentence, json);
  return exitCodes.fine;
}

/** With `--json`, stdout gets only the JSON object; everything else goes to stderr. */
const tell = (io: Io, sentence: string, json: boolean) => (json ? io.err(sentence) : printLines(io, [sentence]));

/** An operator's pause ends with the driver, so the user who resumes the execution must be told. */
function tellOfPause(io: Io, store: Store, executionId: string) {
  const pause = pausedBy(store.sql, requireExecution(store.sql, executionId));
  // While its driver is alive, the execution cannot be resumed, so no warning is needed.
  if (pause === undefined || isDriven(store, executionId, isAlive)) return;
  io.err(
    printable(
      `WARNING ${pause.name} had paused the execution at ${shownTime(pause.time)}${clause(' (', pause.reason, ')')}; it now continues; to pause it again, use "swf-mcp pause ${executionId}"`,
    ),
  );
}
