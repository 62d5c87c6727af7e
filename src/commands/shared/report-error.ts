import { hasCode, stackOf, SwfError } from '../../lib/errors.ts';
import { exitCodes, type Io } from './io.ts';

/** Where an error is reported: to people, and to the swf-mcp process that started this one. */
export type Reporter = Pick<Io, 'err' | 'nodeVersion' | 'tellParent'>;

/** Reports one of our errors; `sentence` is what people see. Returns the exit code. */
export function reportOurs({ err, tellParent }: Reporter, error: SwfError, sentence = error.message) {
  err(new SwfError(error.code, sentence).line);
  tellParent({ event: 'failed', code: error.code, sentence: error.message });
  return error.isUsage ? exitCodes.usage : exitCodes.mendable;
}

/** Reports any error that ends a command. Returns the exit code. */
export function reportError(reporter: Reporter, error: unknown) {
  if (error instanceof SwfError) return reportOurs(reporter, error);
  if (hasCode(error, 'ERR_DLOPEN_FAILED')) {
    reporter.err(
      `swf-mcp was installed for a Node.js version other than ${reporter.nodeVersion}: run "npm rebuild better-sqlite3" where it is installed, or install it again`,
    );
    return exitCodes.mendable;
  }
  reporter.err(`swf-mcp has a bug: ${stackOf(error)}`);
  return exitCodes.bug;
}
