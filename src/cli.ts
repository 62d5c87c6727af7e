#!/usr/bin/env node
import * as nodeModule from 'node:module';
import { isAbsolute, join } from 'node:path';

import packageJson from '../package.json' with { type: 'json' };
import type { Io } from './commands/shared/io.ts';
import { createProcessIo, endSoon, endWithoutReaders, writeError } from './commands/shared/process-io.ts';
import { reportError, type Reporter } from './commands/shared/report-error.ts';

/**
 * The process: runs the requested command and sets the exit code. Commands are loaded on demand, so that a
 * server does not load the agents, and a run does not load the server.
 */
const { version } = packageJson;
let io: Io | undefined;
const start = (db: string | undefined) => (io = createProcessIo({ version, db, program: import.meta.url }));
const reporter: Reporter = {
  err: (line) => writeError(line, io?.db),
  nodeVersion: process.versions.node,
  tellParent: (message) => io?.tellParent(message),
};

async function main() {
  // Without arguments, this is an assistant's server. The assistant waits for it, so the command-line code is
  // not loaded.
  if (process.argv.length === 2) {
    const { plainServer, serveCommand } = await import('./commands/serve/serve.ts');
    return serveCommand(start(undefined), plainServer, process);
  }
  const { runCommandLine } = await import('./commands/command-line.ts');
  return runCommandLine({ version, words: process.argv.slice(2), std: process, start, reporter });
}

/**
 * Makes Node 22 and newer cache compiled code between starts. The cache is in the user's own folder, since
 * code that others can change must not run. If the folder cannot be written, nothing is cached.
 * `NODE_DISABLE_COMPILE_CACHE` and `NODE_COMPILE_CACHE` take precedence.
 */
function keepCompiledCode({ XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv) {
  const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };
  const folder = XDG_CACHE_HOME ?? join(HOME ?? '', '.cache');
  // A relative path could lead to a folder that belongs to another user.
  if (isAbsolute(folder)) enableCompileCache?.(join(folder, 'swf-mcp'));
}

keepCompiledCode(process.env);
endWithoutReaders();
process.exitCode = await main().catch((error: unknown) => reportError(reporter, error));
endSoon();
