import { spawn } from 'node:child_process';

import { messageOf } from './errors.ts';

/** How long a notified program may take, in milliseconds. */
const patience = 30_000;

/** Runs a program to notify it through its environment. Returns a problem as words that follow its name, or undefined. */
export const runProgram = (program: string, env: NodeJS.ProcessEnv): Promise<string | undefined> =>
  new Promise((done) => {
    const child = spawn(program, [], { stdio: 'ignore', env });
    const limit = setTimeout(() => child.kill('SIGKILL'), patience);
    const end = (problem: string | undefined) => {
      clearTimeout(limit);
      done(problem);
    };
    child.on('error', (error) => end(`did not start: ${messageOf(error)}`));
    child.on('exit', (code, signal) => {
      if (code === 0) end(undefined);
      else
        end(
          signal === 'SIGKILL' ? `took longer than ${patience / 1000} s and was ended` : `ended with ${code ?? signal}`,
        );
    });
  });
