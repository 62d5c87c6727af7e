import { join } from 'node:path';

import { requireBareName } from '../../config/layers.ts';
import { executionParamsSchema } from '../../domain/params.ts';
import { compareFile } from '../../runtime/compare-file.ts';
import type { Services } from '../../tools/shared/services.ts';
import { configOf } from '../shared/configured.ts';
import type { Io, ConfigFlags } from '../shared/io.ts';

/** The services for tools called from the command line. */
export const createServices = (io: Io): Services => ({
  compareFile: (file, { execution_id, dir, ...own }) => compareFile(file, { folder: join(dir, execution_id), ...own }),
  plannedParams(name) {
    requireBareName(name, io.workingFolder);
    return plannedParams(io, { config: name, sets: [] });
  },
});

/** The parameters of a run with this configuration. Throws `CONFIG_…`. */
export function plannedParams(io: Io, flags: ConfigFlags) {
  const { config } = configOf(io, flags);
  return executionParamsSchema.parse({ ...config, speed: config.workflow.realtime ? 1 : 'max' });
}
