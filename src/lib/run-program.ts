import { spawn } from 'node:child_process';

import { messageOf } from './errors.ts';

/** How long a program may take that is told of something, in milliseconds. */
const patience = 30_000;

/** Runs a program to tell it something by its environment. Returns what went wrong, as words behind its name; undefined where nothing did. */
export function runProgram(program: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((done) => {
    const child = spawn(program, [], { stdio: 'ignore', env });
    const limit = setTimeout(() => child.kill('SIGKILL'), patience);
    const end = (problem: string | undefined): void => {
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
}
