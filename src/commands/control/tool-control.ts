import { requireBareName } from '../../config/layers.ts';
import type { Action } from '../../domain/states.ts';
import { executionInUse, storeUnavailable } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { effects, giveCommand, type Outcome } from '../../runtime/commands.ts';
import type { CommandState, Control, ControlRequest, StartRequest } from '../../tools/shared/services.ts';
import { type Io, storePath, wordsOfFlags } from '../shared/io.ts';
import { existingStore } from '../shared/own-store.ts';
import { createStoreReader } from '../shared/store-reader.ts';
import { maxName, maxReason } from './control-options.ts';
import { createRunPlaces, requireBounded, type RunPlace } from './run-limits.ts';
import { startTheirs, stopTheirs } from './testbed-control.ts';

/** How long, in milliseconds, a run may take to open its store and record its first message. */
const startMilliseconds = 20_000;

/** The control over executions that the command line gives to tools. */
export function createControl(io: Io, maxRuns?: number): Control {
  const inPlace = createRunPlaces(io, maxRuns);
  return {
    start: async (request) => {
      requireBareName(request.config, io.workingFolder);
      await requireBounded(io, request);
      return inPlace((place) => start(io, request, place));
    },
    startTheirs: (namespace, request) => startTheirs(io, namespace, request),
    stopTheirs: (execution, request) => stopTheirs(io, execution, request),
    command: (action, request) => command(io, action, request),
    resume: async (request) => {
      requireUndriven(io, request.execution_id);
      return inPlace((place) => resume(io, request, place));
    },
  };
}

/**
 * Called before a place for a run is taken, since a driven execution already has a place. Throws
 * `EXECUTION_IN_USE`.
 */
function requireUndriven(io: Io, executionId: string) {
  using reader = createStoreReader(io);
  const queries = reader.queries();
  const execution = queries.execution(executionId);
  const driver = queries.driver(execution.execution_id);
  // A service process may live on after it stops driving.
  const hasDriver = execution.status === 'running' && driver?.isAlive() === true;
  if (!hasDriver || queries.isSilent(execution)) return;
  throw executionInUse(
    `${executionId} is driven by process ${driver.pid} on ${driver.hostname}; if it is paused, continue it with action "continue"`,
  );
}

async function start(io: Io, request: StartRequest, place: RunPlace) {
  const words = ['run', ...runArguments(request), `--sender=${printable(request.by)}`];
  using started = await io.startSelf(['--db', storePath(io), ...words]);
  place.pid = started.pid;
  const message = await started.firstMessage(startMilliseconds);
  if (message?.event !== 'started')
    throw storeUnavailable(
      `the run did not start within ${startMilliseconds / 1000} s; check with list_workflow_executions whether it has started since`,
    );
  const { execution_id, run_number } = message;
  return { execution_id, run_number, pid: started.pid ?? 0 };
}

const runArguments = ({ config, speed, settings }: StartRequest) => [
  ...(config === undefined ? [] : [config]),
  ...wordsOfFlags({
    speed: speed === undefined ? undefined : String(speed),
    set: Object.entries(settings).map(([key, value]) => `${key}=${value}`),
  }),
];

async function command(io: Io, action: Action, request: ControlRequest): Promise<CommandState> {
  using store = await existingStore(io);
  const { execution_id, by, reason, patienceSeconds } = request;
  const stopUndriven = () => stopApart(io, request);
  const options = { isAlive, patienceSeconds, stopUndriven };
  return stateOf(action, await giveCommand(store, execution_id, { action, by, reason }, options));
}

/** Resumes an execution in a separate process. That process logs that it has resumed the execution. */
async function resume(io: Io, request: ControlRequest, place: RunPlace): Promise<CommandState> {
  const message = await begun(io, 'resume', request, place);
  if (message === undefined)
    return {
      effect: 'pending',
      sentence: 'a process was started to resume it, but has not reported yet: check with get_workflow_monitor',
    };
  if (message.event === 'done') return { effect: 'refused', sentence: 'it has ended; there is nothing to do' };
  const driver = message.event === 'resumed' ? message.by : `process ${place.pid}`;
  return {
    effect: 'applied',
    sentence: `it continues, driven by ${driver}, as requested by ${request.by.claimed ?? request.by.name}`,
  };
}

/** Starts a process that resumes or stops an execution, and waits for its first message. */
async function begun(io: Io, action: string, request: ControlRequest, place?: RunPlace) {
  const words = ['--db', storePath(io), action, request.execution_id, ...forTheRecord(request)];
  using started = await io.startSelf(words);
  if (place !== undefined) place.pid = started.pid;
  return await started.firstMessage(request.patienceSeconds * 1000);
}

/** The options that record why something was requested, by whom, and on whose behalf. */
const forTheRecord = ({ reason, by: { name, claimed } }: ControlRequest) => [
  ...(reason === undefined ? [] : [`--reason=${printable(reason).slice(0, maxReason)}`]),
  ...(claimed === undefined ? [] : [`--requested-by=${printable(claimed).slice(0, maxName)}`]),
  `--sender=${printable(name)}`,
];

function stateOf(action: Action, outcome: Outcome): CommandState {
  switch (outcome.effect) {
    case 'applied':
      return { effect: 'applied', sentence: `it ${effects[action]}` };
    case 'already':
      return { effect: 'applied', sentence: `it ${outcome.reason}` };
    case 'none':
      return { effect: 'refused', sentence: outcome.reason };
    case 'pending':
      return {
        effect: 'pending',
        sentence:
          outcome.reason ??
          'its driver has not accepted the request yet; the request stays recorded: check with get_workflow_monitor',
      };
  }
}

/** The execution has no driver, so a separate process resumes it in order to end it. */
async function stopApart(io: Io, request: ControlRequest): Promise<Outcome> {
  if ((await begun(io, 'stop', request)) !== undefined) return { effect: 'applied' };
  return {
    effect: 'pending',
    reason:
      'no process was driving the execution; one was started to end it, but has not finished yet: check with get_workflow_monitor',
  };
}
