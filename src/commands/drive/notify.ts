import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Queries } from '../../db/queries.ts';
import { counted } from '../../lib/counted.ts';
import { argumentInvalid, messageOf } from '../../lib/errors.ts';
import { runProgram } from '../../lib/run-program.ts';
import type { Io } from '../shared/io.ts';

/** How often to check for news, in milliseconds. */
const lookMilliseconds = 500;

export type Notifier = ReturnType<typeof startNotifier>;

/** Throws `ARGUMENT_INVALID` if the path is not a program. */
export function requireProgram(io: Io, path: string | undefined) {
  if (path === undefined) return undefined;
  const program = resolve(io.workingFolder, path);
  try {
    accessSync(program, constants.X_OK);
    if (statSync(program).isFile()) return program;
  } catch (error) {
    throw argumentInvalid(`--notify ${path} cannot be run (${messageOf(error)}); give the path of a program`, {
      cause: error,
    });
  }
  throw argumentInvalid(`--notify ${path} is not a file; give the path of a program`);
}

/** @param program as `requireProgram` returns it @param queries the store at the time of each check */
export function startNotifier(io: Io, program: string, queries: () => Queries, executionId: string) {
  let hasTold = false;
  let telling = Promise.resolve();
  const tell = (event: 'first_failure' | 'ended') => {
    const { status, status_reason, slices_failed } = queries().execution(executionId);
    const failed = slices_failed === 0 ? [] : [`${counted(slices_failed, 'slice')} failed`];
    const variables = {
      SWF_EVENT: event,
      SWF_EXECUTION_ID: executionId,
      SWF_STATUS: status,
      SWF_REASON: [...(status_reason === null ? [] : [status_reason]), ...failed].join(', '),
    };
    telling = telling.then(() => tellProgram(io, program, variables));
  };
  const look = () => {
    try {
      const asked = queries();
      if (hasTold || asked.executionRecord(asked.execution(executionId)).slices_exhausted === 0) return;
      hasTold = true;
      tell('first_failure');
    } catch {
      // Other parts report a store that cannot be read; it may be readable again at the next check.
    }
  };
  const timer = setInterval(look, lookMilliseconds);
  timer.unref();
  return {
    /** To be called when the execution has ended. Waits for the program to end. */
    async ended() {
      clearInterval(timer);
      look();
      if (queries().execution(executionId).status !== 'running') tell('ended');
      await telling;
    },
    leave: () => clearInterval(timer),
  };
}

async function tellProgram(io: Io, program: string, variables: Record<string, string>) {
  const problem = await runProgram(program, io.env, variables);
  if (problem !== undefined) io.err(`WARNING ${program}, run for ${variables['SWF_EVENT']}, ${problem}`);
}
