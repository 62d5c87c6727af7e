import { SwfError } from '../../lib/errors.ts';
import { exitCodes, type Io } from './io.ts';

/** Where an error goes: to people, and to the swf-mcp that started this process. */
export type Reporter = Pick<Io, 'err' | 'nodeVersion' | 'tellParent'>;

/** Reports one of our errors, to people with this sentence. Returns the exit code. */
export function reportOurs({ err, tellParent }: Reporter, error: SwfError, sentence = error.message) {
  err(new SwfError(error.code, sentence).line);
  tellParent({ event: 'failed', code: error.code, sentence: error.message });
  return error.isUsage ? exitCodes.usage : exitCodes.mendable;
}

/** Reports any error that ends a command. Returns the exit code. */
export function reportError(reporter: Reporter, error: unknown) {
  if (error instanceof SwfError) return reportOurs(reporter, error);
  if (error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_FAILED') {
    reporter.err(
      `swf-mcp was installed for a Node.js other than ${reporter.nodeVersion}: run "npm rebuild better-sqlite3" where it is installed, or install it again`,
    );
    return exitCodes.mendable;
  }
  reporter.err(`swf-mcp has a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return exitCodes.bug;
}
