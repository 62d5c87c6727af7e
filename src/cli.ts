#!/usr/bin/env node
import * as nodeModule from 'node:module';
import { isAbsolute, join } from 'node:path';

import packageJson from '../package.json' with { type: 'json' };
import { exitCodes, type Io } from './commands/shared/io.ts';
import { createProcessIo, endSoon, endWithoutReaders } from './commands/shared/process-io.ts';
import { SwfError } from './lib/errors.ts';

/**
 * The process: runs the requested command and gives an exit code. Commands are loaded on demand, so that a server starts without the agents and a run
 * without the server.
 */
const { version } = packageJson;
let io: Io | undefined;
const start = (db: string | undefined): Io => (io = createProcessIo({ version, db, program: import.meta.url }));

async function main(): Promise<number> {
  // Assistants start their server this way and wait for it: there is no command line to read.
  if (process.argv.length === 2) {
    const { plainServer, serveCommand } = await import('./commands/serve/serve.ts');
    return serveCommand(start(undefined), plainServer, process.stdin);
  }
  const { runCommandLine } = await import('./commands/command-line.ts');
  return runCommandLine({ version, words: process.argv.slice(2), stdin: process.stdin, start, fail });
}

/** Reports an error of ours to people, in these words, and to the swf-mcp that started this process. Returns the exit code. */
function fail(error: SwfError, sentence: string): number {
  process.stderr.write(`${new SwfError(error.code, sentence).line}\n`);
  io?.tellParent({ event: 'failed', code: error.code, sentence: error.message });
  return exitCodes.mendable;
}

/** Reports any error. Returns the exit code. */
function exitCodeOf(error: unknown): number {
  if (error instanceof SwfError) return fail(error, error.message);
  if (error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_FAILED') {
    process.stderr.write(
      `swf-mcp was installed for another Node.js than ${process.version}: run "npm rebuild better-sqlite3" where it is installed, or install it again\n`,
    );
    return exitCodes.mendable;
  }
  process.stderr.write(
    `swf-mcp has a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return exitCodes.bug;
}

/**
 * Makes Node 22 and newer keep compiled code between starts, in the user's own folder, since code that others can change must not run. If the folder cannot be
 * written, nothing is kept. `NODE_DISABLE_COMPILE_CACHE` and `NODE_COMPILE_CACHE` take precedence.
 */
function keepCompiledCode({ XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv): void {
  const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };
  const folder = XDG_CACHE_HOME ?? join(HOME ?? '', '.cache');
  // A relative folder would belong to the owner of the working folder.
  if (isAbsolute(folder)) enableCompileCache?.(join(folder, 'swf-mcp'));
}

keepCompiledCode(process.env);
endWithoutReaders();
process.exitCode = await main().catch(exitCodeOf);
endSoon();
