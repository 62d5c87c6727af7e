import type { BrokerSettings } from '../../broker/connection.ts';
import { parseRecordedConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { startMessage } from '../../db/execution/start-message.ts';
import type { Store } from '../../db/opening/store.ts';
import { createQueries, type Queries } from '../../db/queries.ts';
import { beforeCause } from '../../domain/causes.ts';
import type { Counts } from '../../domain/counts.ts';
import type { Speed } from '../../domain/params.ts';
import { counted } from '../../lib/counted.ts';
import { createLog, type Log, type LogLine } from '../../lib/logger.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { tried } from '../../lib/tried.ts';
import type { MessageType } from '../../messages/vocabulary.ts';
import { type Finding, wholeSentence } from '../../monitoring/findings/rule.ts';
import type { HostOptions } from '../../runtime/host.ts';
import type { RunningExecution } from '../../runtime/start-execution.ts';
import { startLive } from '../live/live.ts';
import { brokerChoice } from '../shared/broker-choice.ts';
import { type Io, logLevel, storeOption, userName } from '../shared/io.ts';
import { startKeys } from './keys.ts';
import { type Notifier, startNotifier } from './notify.ts';
import { tellEnding } from './summary.ts';

interface DriveArguments {
  store: Store;
  config: Config;
  speed: Speed;
  json: boolean;
  broker: BrokerSettings | undefined;
  notify?: string | undefined;
}

/** The options of a process that drives an execution, apart from the display options. */
export const hostOptions = (io: Io, { store, config, broker }: Omit<DriveArguments, 'speed' | 'json'>) => ({
  store,
  config,
  user: userName(io),
  version: io.version,
  logLevel: logLevel(io),
  log: createLog('WARNING', io.err),
  environment: io.env,
  broker: broker && brokerChoice(io, broker, config),
});

/** Drives an execution to its end and shows its summary, for `run` and `resume`. Returns the exit code. */
export async function driveToEnd(
  io: Io,
  args: DriveArguments,
  start: (options: HostOptions) => Promise<RunningExecution>,
) {
  io.keepGoingWithoutOutput();
  const { store, config, speed, json } = args;
  const queries = createQueries(store.db, isAlive);
  const display = openDisplay(io, queries, json);
  const interruption = watchForInterruption(io, store, display.say);
  let running: RunningExecution;
  let endWatch: (() => void) | undefined;
  let endKeys: (() => void) | undefined;
  let notifier: Notifier | undefined;
  try {
    running = await start({ ...hostOptions(io, args), ...display.options });
    const { execution_id, run_number } = running;
    io.tellParent({ event: 'started', execution_id, run_number });
    display.say(`execution ${execution_id}, run ${run_number}, speed ${speed}, store ${store.path}`);
    display.live?.show(execution_id);
    endWatch = display.watch?.(execution_id);
    interruption.stops(running);
    if (display.live !== undefined) endKeys = startKeys(io, display.live, execution_id);
    if (args.notify !== undefined) notifier = startNotifier(io, args.notify, () => queries, execution_id);
    await running.done;
  } finally {
    endKeys?.();
    endWatch?.();
    display.live?.end();
  }
  const isInterrupted = interruption.by() !== undefined;
  const code = tellEnding(io, queries, running.execution_id, { json, config, isInterrupted });
  await notifier?.ended();
  return code;
}

/**
 * Throws `EXECUTION_NOT_RUNNING` if the execution was not started from this store, and `CONFIG_INVALID` if its
 * configuration cannot be used.
 */
export const recordedConfig = ({ sql }: Store, executionId: string) =>
  parseRecordedConfig(startMessage(sql, executionId).params, executionId);

/** A painted view on a terminal, lines elsewhere. */
function openDisplay(io: Io, queries: Queries, json: boolean) {
  const terminal = io.terminal(json ? 'err' : 'out');
  const log = createLog('WARNING', io.err);
  if (terminal === undefined) {
    const say = (line: string) => (json ? io.err(line) : io.out(`${line}\n`));
    const onProgress = (executionId: string, types: readonly MessageType[]) => {
      for (const type of types) {
        const line = stageLines[type]?.(() => queries.execution(executionId));
        if (line !== undefined) say(line);
      }
    };
    const agentLog = oneAMinute(log);
    /** Logs findings until the returned function is called; a painted view shows findings anyway. */
    const watch = (id: string) => {
      const endWatch = watchFindings(queries, id, log);
      return () => {
        endWatch();
        agentLog.end();
      };
    };
    return { live: undefined, say, options: { log, agentLog, onProgress }, watch };
  }
  const live = startLive(terminal, () => queries, storeOption(io));
  const say = (line: string) => live.print(line);
  return {
    live,
    say,
    watch: undefined,
    options: {
      // Warnings that go to the same terminal must not be painted over.
      log: io.terminal('err') ? createLog('WARNING', say) : log,
      // Agents' log lines are not printed: the view shows what they are about, and the store has every line.
      agentLog: { write: () => {} },
    },
  };
}

/**
 * Writes the first line about a failed attempt immediately, and then, once a minute, the latest line and the
 * number of lines: a run with a broken payload logs a line per attempt.
 */
export function oneAMinute(log: Log) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let more = 0;
  let last: LogLine | undefined;
  const flush = () => {
    timer = undefined;
    if (last === undefined) return;
    const others = more === 1 ? '' : `${more} more attempts failed; the last: `;
    log.write({ ...last, message: `${others}${last.message}` });
    [more, last] = [0, undefined];
    timer = setTimeout(flush, 60_000).unref();
  };
  return {
    write(line: LogLine) {
      if (!beforeCause.test(line.message)) return log.write(line);
      [more, last] = [more + 1, line];
      if (timer === undefined) flush();
    },
    /** Writes what is pending. */
    end() {
      clearTimeout(timer);
      flush();
      clearTimeout(timer);
    },
  };
}

/**
 * Ends the driven execution cleanly on a signal, even right after the start. After a second signal, or if the
 * terminal is closed, the execution can be resumed.
 */
function watchForInterruption(io: Io, store: Store, say: (line: string) => void) {
  let interruptedBy: string | undefined;
  let running: RunningExecution | undefined;
  const stop = () => {
    if (running === undefined || interruptedBy === undefined) return;
    say(`${interruptedBy}: ending the run for good; to exit now and resume later, send the signal again`);
    store.hurry();
    // If the request cannot be recorded, the run itself fails on the same store and says so.
    running.stop(`interrupted by ${interruptedBy}`).catch(() => {});
  };
  const leaveAtOnce = () => {
    store.hurry();
    if (running === undefined || !running.leaveAtOnce()) return;
    say(`interrupted immediately; resume it with "swf-mcp${storeOption(io)} resume ${running.execution_id}"`);
  };
  io.onInterrupt((signal) => {
    interruptedBy = signal;
    stop();
  }, leaveAtOnce);
  return {
    by: () => interruptedBy,
    stops(execution: RunningExecution) {
      running = execution;
      stop();
    },
  };
}

/** One line for each stage that a run reaches; none for the many messages about files and slices. */
const stageLines: Readonly<Partial<Record<MessageType, (counts: () => Counts) => string>>> = {
  run_imminent: () => 'run_imminent: the agents are preparing',
  start_run: () => 'start_run: physics',
  pause_run: (counts) => `pause_run: standby after ${counted(counts().stf_count, 'STF file')}`,
  resume_run: () => 'resume_run: physics',
  end_run: (counts) => `end_run: ${counted(counts().stf_count, 'STF file')}`,
  workflow_ended: (counts) =>
    `workflow_ended: ${counts().slices_completed} of ${counts().slices_created} TF slices were completed`,
};

/** How often to check for findings, in milliseconds. */
const lookMilliseconds = 5000;

const nameOf = ({ code, about = '' }: Finding) => `${code} ${about}`;

/**
 * Logs each finding once it has persisted for two checks, and again if it returns: a night's log must show why
 * a run was waiting. Failed slices have lines of their own. Returns a function that stops the logging.
 */
export function watchFindings(queries: Queries, executionId: string, log: Log) {
  let before = new Set<string>();
  let told = new Set<string>();
  const look = () => {
    const findings = queries.snapshot(() => {
      const execution = queries.execution(executionId);
      return queries.assessWithFindings(execution, Date.now(), queries.dataAsOf()).findings;
    });
    const found = findings.filter(({ code, severity }) => severity !== 'info' && code !== 'SLICES_FAILED');
    const standing = found.filter((finding) => before.has(nameOf(finding)));
    for (const finding of standing)
      if (!told.has(nameOf(finding)))
        log.write({ level: 'WARNING', message: `${finding.code}: ${wholeSentence(finding)}` });
    before = new Set(found.map(nameOf));
    told = new Set([...standing.map(nameOf), ...[...told].filter((name) => before.has(name))]);
  };
  // If the store cannot be read, the processes that write to it report that.
  const timer = setInterval(() => tried(look), lookMilliseconds);
  timer.unref();
  return () => clearInterval(timer);
}
