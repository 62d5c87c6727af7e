import type { ExecutionRow } from '../../db/execution/find-execution.ts';
import { isPrompt } from '../../domain/workflows.ts';
import { present } from '../../lib/present.ts';
import type { ToolContext } from './tool.ts';

/** The STF files that failed at a site; undefined if that is not known, or if no site processes files. */
export const failedFiles = (execution: ExecutionRow) =>
  isPrompt(execution) && execution.processing_unheard === 0 ? execution.stf_failed : undefined;

/**
 * How far each site's prompt processing of an execution's STF files has come; empty for any other workflow.
 * Counts are absent if nothing was reported over REST.
 */
export function sitesPart(execution: ExecutionRow, { queries }: Pick<ToolContext, 'queries'>) {
  const prompt = queries.promptSites(execution);
  if (prompt === undefined) return {};
  const isTold = execution.processing_unheard === 0;
  const sites = prompt.sites.map(({ handed_over_at: at, registered, processing, processed, failed, ...site }) =>
    present({
      ...site,
      handed_over_at: at === undefined ? null : new Date(at).toISOString(),
      ...(isTold ? { registered, processing, processed, failed } : {}),
    }),
  );
  return { policy: prompt.policy, sites };
}

type Work = { [Name in 'handed_over_at' | 'task_id']?: string | undefined } & {
  [Name in 'registered' | 'processing' | 'processed' | 'failed']?: number | undefined;
};

/**
 * How a site that processes STF files is doing, as far as is known. REST does not say when a run was handed
 * over, so an unknown time does not mean that the run was not handed over.
 */
export const siteWords = (site: Work) =>
  [
    site.registered !== undefined &&
      `${site.registered} registered (${site.processing} processing, ${site.processed} processed, ${site.failed} failed)`,
    site.handed_over_at !== undefined && `handed over at ${site.handed_over_at}`,
    site.task_id !== undefined && `task ${site.task_id}`,
  ]
    .filter(Boolean)
    .join(', ') || 'nothing reported';
