import * as nodeModule from 'node:module';
import { isAbsolute, join } from 'node:path';

const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };

/**
 * Has Node keep compiled code from one start to the next, which Node 22 and newer can. The folder is the user's own: code that others could change
 * would be run. Where it cannot be written nothing is kept. `NODE_DISABLE_COMPILE_CACHE` and `NODE_COMPILE_CACHE` go before, as for every program.
 */
export function keepCompiledCode({ XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv): void {
  const folder = XDG_CACHE_HOME ?? join(HOME ?? '', '.cache');
  // A relative one would be a folder of the owner of the working folder.
  if (isAbsolute(folder)) enableCompileCache?.(join(folder, 'swf-mcp'));
}
