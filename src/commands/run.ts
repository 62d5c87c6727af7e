import { join, resolve } from 'node:path';

import { type Config, loadConfig, requireEveryAgent } from '../config.ts';
import { openStore } from '../db/store.ts';
import { startWorkflow } from '../run-workflow.ts';
import type { Speed } from '../workflow/params.ts';
import { driveToEnd } from './drive.ts';
import { type Io, logLevel, storePath, userName } from './io.ts';

export interface RunArguments {
  config: string | undefined;
  stfCount: number | undefined;
  speed: Speed | undefined;
  sets: string[];
  json: boolean;
}

/** `swf-mcp run`: one execution from start to end. Returns the exit code. */
export async function runCommand(io: Io, { config: name, stfCount, speed, sets, json }: RunArguments): Promise<number> {
  // What the environment says is checked before anything is made.
  userName(io);
  logLevel(io);
  const loaded = loadConfig({
    name,
    sets: [...sets, ...(stfCount === undefined ? [] : [`fast_processing.stf_count=${stfCount}`])],
    workingFolder: io.workingFolder,
    shippedFolder: join(io.packageFolder, 'workflows'),
  });
  requireEveryAgent(loaded);
  const path = storePath(io);
  const config = withDataFolder(loaded, path, io.workingFolder);
  const store = await openStore(path);
  try {
    return await driveToEnd(
      io,
      { store, config, speed: speed ?? (config.workflow.realtime ? 1 : 'max'), json },
      (options) => startWorkflow(options, name),
    );
  } finally {
    store.close();
  }
}

/** Where files go is recorded in full, so that an execution can be resumed from any folder. */
function withDataFolder(config: Config, store: string, workingFolder: string): Config {
  const dir = config.data.dir === undefined ? `${store}.data` : resolve(workingFolder, config.data.dir);
  return { ...config, data: { ...config.data, dir } };
}
