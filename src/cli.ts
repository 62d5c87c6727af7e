#!/usr/bin/env node
import packageJson from '../package.json' with { type: 'json' };
import { keepCompiledCode } from './commands/shared/compiled-code.ts';
import { exitCodes, type Io } from './commands/shared/io.ts';
import { createProcessIo, endSoon, endWithoutReaders } from './commands/shared/process-io.ts';
import { SwfError } from './lib/errors.ts';

/** The process: runs the requested command. Commands are loaded on demand, so that a server starts without the agents and a run without the server. */
const { version } = packageJson;
let io: Io | undefined;
const start = (db: string | undefined): Io => (io = createProcessIo({ version, db, program: import.meta.url }));

async function main(): Promise<number> {
  // Assistants start their server this way and wait for it: there is no command line to read.
  if (process.argv.length === 2) {
    const { plainServer, serveCommand } = await import('./commands/serve/serve.ts');
    return serveCommand(start(undefined), plainServer, process.stdin);
  }
  return (await import('./commands/command-line.ts')).runCommandLine({
    version,
    words: process.argv.slice(2),
    stdin: process.stdin,
    start,
    fail,
  });
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

keepCompiledCode(process.env);
endWithoutReaders();
process.exitCode = await main().catch(exitCodeOf);
endSoon();
