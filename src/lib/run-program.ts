import { spawn } from 'node:child_process';

import { messageOf } from './errors.ts';

/** How long a notified program may take, in milliseconds. */
const patience = 30_000;

/** The variables that a notified program inherits: for programs and files, the desktop and the network. */
const inherited =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LANGUAGE|LC_\w+|LD_LIBRARY_PATH|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|SSL_CERT_(?:FILE|DIR)|(?:https?|no|all)_proxy)$/i;

/**
 * Runs a program to notify it through its environment.
 * @param environment the program inherits only what it needs: any other variable may be a secret
 * @returns a problem as words that follow its name, or undefined
 */
export const runProgram = (
  program: string,
  environment: NodeJS.ProcessEnv,
  variables: Readonly<Record<string, string>>,
): Promise<string | undefined> =>
  new Promise((done) => {
    const kept = Object.entries(environment).filter(([name]) => inherited.test(name));
    const env = { ...Object.fromEntries(kept), ...variables };
    // Unlike the option `timeout`, this keeps no process waiting for a program that did not start.
    const late = AbortSignal.timeout(patience);
    const child = spawn(program, [], { stdio: 'ignore', env, signal: late, killSignal: 'SIGKILL' });
    child.on('error', (error) =>
      done(
        late.aborted ? `took longer than ${patience / 1000} s and was stopped` : `did not start: ${messageOf(error)}`,
      ),
    );
    child.on('exit', (code, signal) => done(code === 0 ? undefined : `ended with ${code ?? signal}`));
  });
