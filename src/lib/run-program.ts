import { spawn } from 'node:child_process';

import { messageOf } from './errors.ts';

/** How long a notified program may run, in milliseconds. */
const patience = 30_000;

/**
 * The variables that the program inherits: those for finding programs and files, for the desktop and for
 * the network.
 */
const inherited =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LANGUAGE|LC_\w+|LD_LIBRARY_PATH|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|SSL_CERT_(?:FILE|DIR)|(?:https?|no|all)_proxy)$/i;

/**
 * Runs a program that receives a notification in its environment variables.
 * @param environment of this process; the program inherits only the variables that it needs, since any
 *   other variable may be a secret
 * @returns the problem, worded to follow the program's name, or undefined
 */
export const runProgram = (
  program: string,
  environment: NodeJS.ProcessEnv,
  variables: Readonly<Record<string, string>>,
): Promise<string | undefined> =>
  new Promise((done) => {
    const kept = Object.entries(environment).filter(([name]) => inherited.test(name));
    const env = { ...Object.fromEntries(kept), ...variables };
    // Unlike the option `timeout`, this does not keep the process alive for a program that did not start.
    const late = AbortSignal.timeout(patience);
    const child = spawn(program, [], { stdio: 'ignore', env, signal: late, killSignal: 'SIGKILL' });
    child.on('error', (error) =>
      done(
        late.aborted ? `took longer than ${patience / 1000} s and was stopped` : `did not start: ${messageOf(error)}`,
      ),
    );
    child.on('exit', (code, signal) => done(code === 0 ? undefined : `ended with ${code ?? signal}`));
  });
