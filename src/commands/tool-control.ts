import { requireBareName } from '../config/request.ts';
import { requireExecution } from '../db/lists/executions.ts';
import { openExistingStore } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import type { Action } from '../domain/states.ts';
import { type ErrorCode, errorCodes, SwfError } from '../lib/errors.ts';
import { printable } from '../lib/logger.ts';
import { isAlive } from '../lib/process-identity.ts';
import { awaitEffect, isDriven, nobodyDrives, recordCommand } from '../runtime/commands.ts';
import type { CommandState, Control, StartRequest } from '../tools/shared/control.ts';
import { mostReason } from './control.ts';
import { type Io, type SelfStarted, storeOptions, storePath, userName } from './io.ts';

/** How long a run may take to begin: it opens its store and records its first message. */
const startMilliseconds = 20_000;

/** What tools may do to executions, as the command line does it. */
export function createControl(io: Io): Control {
  const db = ['--db', storePath(io)];
  return {
    async start(request) {
      requireBareName(request.config, io.workingFolder);
      const started = io.startSelf([...db, 'run', ...runArguments(request)]);
      try {
        const words = await firstWords(started, /^execution (\S+), run (\d+),/m, startMilliseconds);
        if (words === undefined)
          throw new SwfError(
            'STORE_UNAVAILABLE',
            `the run has not begun after ${startMilliseconds / 1000} s; look with list_workflow_executions whether it has by now`,
          );
        const [, execution_id = '', run_number = ''] = words;
        return { execution_id, run_number: Number(run_number), pid: started.pid ?? 0 };
      } finally {
        started.release();
      }
    },
    command: (action, executionId, reason, patienceSeconds) =>
      command(io, { action, executionId, reason, patienceSeconds }),
  };
}

function runArguments({ config, speed, settings }: StartRequest): string[] {
  return [
    ...(config === undefined ? [] : [config]),
    ...(speed === undefined ? [] : ['--speed', String(speed)]),
    ...Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
  ];
}

/** Waits until a process has written what fits; `undefined` where it has not in time. Throws what it says where it ends before. */
async function firstWords(
  started: SelfStarted,
  pattern: RegExp,
  patience: number,
): Promise<RegExpExecArray | undefined> {
  const deadline = performance.now() + patience;
  for (;;) {
    const found = pattern.exec(started.output());
    if (found !== null) return found;
    if (started.exitCode() !== undefined) throw asError(started.output());
    const left = deadline - performance.now();
    if (left <= 0) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, left);
    });
    await Promise.race([started.news(), late]);
    clearTimeout(timer);
  }
}

/** The one line that a command ends with, as the error that it was. */
function asError(output: string): Error {
  const lines = output.trimEnd().split('\n');
  const [, code, sentence] = /^([A-Z_]+): (.*)$/.exec(lines.at(-1) ?? '') ?? [];
  if (code !== undefined && sentence !== undefined && (errorCodes as readonly string[]).includes(code))
    return new SwfError(code as ErrorCode, sentence);
  return new Error(`the run did not begin: ${output.slice(-500)}`);
}

interface Asked {
  action: Action;
  executionId: string;
  reason: string | undefined;
  patienceSeconds: number;
}

/** What stays recorded although nobody has taken it up in time. */
const pending: CommandState = {
  effect: 'pending',
  sentence: 'the process that drives it has not taken it up yet; it stays recorded: look with get_workflow_monitor',
};

/** The process that ends it goes on. */
const beingEnded: CommandState = {
  effect: 'pending',
  sentence:
    'nobody drove it; a process has been started that ends it, and is not done yet: look with get_workflow_monitor',
};

async function command(io: Io, asked: Asked): Promise<CommandState> {
  const { action, executionId, patienceSeconds } = asked;
  const user = userName(io);
  const reason = asked.reason ?? `stopped by ${user}`;
  const store = await openExistingStore(storePath(io), storeOptions(io));
  try {
    const { status } = requireExecution(preparer(store.db), executionId);
    const isUndriven = status === 'running' && !isDriven(store, executionId, isAlive);
    // Nobody drives it: to be ended it is taken up, which is a process of its own.
    if (isUndriven && action === 'stop') return await stopUndriven(io, executionId, reason, patienceSeconds);
    if (isUndriven) throw nobodyDrives(executionId);
    const recorded = await recordCommand(store, executionId, { action, user, reason });
    if (recorded === undefined) return { effect: 'applied', sentence: 'it is stopped already' };
    const outcome = await awaitEffect(store, recorded, { isAlive, patienceSeconds });
    switch (outcome.effect) {
      case 'applied':
        return { effect: 'applied', sentence: sentences[action] };
      case 'already':
        return { effect: 'applied', sentence: `it ${outcome.reason}` };
      case 'none':
        return { effect: 'refused', sentence: outcome.reason };
      case 'pending':
        return pending;
    }
  } finally {
    store.close();
  }
}

const sentences: Readonly<Record<Action, string>> = {
  stop: 'it is stopped',
  pause: 'it is paused: no STF is made, workers finish the slice in hand',
  continue: 'it goes on',
};

async function stopUndriven(
  io: Io,
  executionId: string,
  reason: string,
  patienceSeconds: number,
): Promise<CommandState> {
  const started = io.startSelf([
    '--db',
    storePath(io),
    'stop',
    executionId,
    `--reason=${printable(reason).slice(0, mostReason)}`,
  ]);
  try {
    const words = await firstWords(started, /^\S+ (?:is stopped|has ended$)/m, patienceSeconds * 1000);
    return words === undefined ? beingEnded : { effect: 'applied', sentence: sentences.stop };
  } finally {
    started.release();
  }
}
