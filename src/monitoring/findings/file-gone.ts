import { counted } from '../../lib/counted.ts';
import { call, defineDrivenFinding } from './rule.ts';

/** No worker can get TF files that are needed, and the host that made them is silent. */
export const fileGone = defineDrivenFinding('FILE_GONE', ({ evidence }) =>
  evidence.gone.map(({ hostname, files, first, since }) => ({
    severity: 'error' as const,
    sentence: `${hostname} has been silent since ${since}, so no worker can have the ${counted(files, 'TF file')} made there, the first ${first}. Start a fastmon agent on another host, which makes them again, or bring ${hostname} back.`,
    ids: [first],
    about: hostname,
    next: call('list_agents', { agent_type: 'fastmon' }),
  })),
);
