#!/usr/bin/env node
import * as nodeModule from 'node:module';
import { isAbsolute, join } from 'node:path';

import packageJson from '../package.json' with { type: 'json' };
import { type Io, storeOption, withStore } from './commands/shared/io.ts';
import { createProcessIo, endSoon, endWithoutReaders } from './commands/shared/process-io.ts';
import { reportError, type Reporter } from './commands/shared/report-error.ts';
import { printableLines } from './lib/printable.ts';

/**
 * The process: runs the requested command and sets the exit code. Commands are loaded on demand, so that a
 * server starts without the agents and a run without the server.
 */
const { version } = packageJson;
let io: Io | undefined;
const start = (db: string | undefined) => (io = createProcessIo({ version, db, program: import.meta.url }));
const reporter: Reporter = {
  err: (line) => void process.stderr.write(`${withStore(printableLines(line), storeOption({ db: io?.db }))}\n`),
  nodeVersion: process.versions.node,
  tellParent: (message) => io?.tellParent(message),
};

async function main() {
  // Assistants start their server this way and wait for it: there is no command line to read.
  if (process.argv.length === 2) {
    const { plainServer, serveCommand } = await import('./commands/serve/serve.ts');
    return serveCommand(start(undefined), plainServer, process);
  }
  const { runCommandLine } = await import('./commands/command-line.ts');
  return runCommandLine({ version, words: process.argv.slice(2), std: process, start, reporter });
}

/**
 * Makes Node 22 and newer keep compiled code between starts, in the user's own folder, since code that others
 * can change must not run. If the folder cannot be written, nothing is kept. `NODE_DISABLE_COMPILE_CACHE` and
 * `NODE_COMPILE_CACHE` take precedence.
 */
function keepCompiledCode({ XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv) {
  const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };
  const folder = XDG_CACHE_HOME ?? join(HOME ?? '', '.cache');
  // A relative folder would belong to the owner of the working folder.
  if (isAbsolute(folder)) enableCompileCache?.(join(folder, 'swf-mcp'));
}

keepCompiledCode(process.env);
endWithoutReaders();
process.exitCode = await main().catch((error: unknown) => reportError(reporter, error));
endSoon();
