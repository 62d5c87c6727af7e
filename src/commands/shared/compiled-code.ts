import * as nodeModule from 'node:module';
import { isAbsolute, join } from 'node:path';

const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };

/**
 * Makes Node 22 and newer keep compiled code between starts. The folder is the user's own, since code that others could change would be run. If it
 * cannot be written, nothing is kept. `NODE_DISABLE_COMPILE_CACHE` and `NODE_COMPILE_CACHE` take precedence, as for every program.
 */
export function keepCompiledCode({ XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv): void {
  const folder = XDG_CACHE_HOME ?? join(HOME ?? '', '.cache');
  // A relative folder would belong to the owner of the working folder.
  if (isAbsolute(folder)) enableCompileCache?.(join(folder, 'swf-mcp'));
}
