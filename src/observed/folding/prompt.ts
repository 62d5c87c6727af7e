import { grouped } from '../../lib/grouped.ts';
import type { SiteJob } from '../reading/prompt.ts';
import { bySending, type FactOf, type SaidFact, timeOf } from './said.ts';

type SaidJobs = SaidFact<FactOf<'told_jobs'>>;

/**
 * The jobs that process an STF file in prompt processing. The processing agent reports them each time it
 * queries PanDA, usually unchanged; the last report counts. `spare`: reports that can be skipped next time,
 * since they lie between the first and the last of several equal reports.
 */
function foldJobs(messages: readonly SaidJobs[]) {
  const reports = messages.toSorted(bySending);
  const equal = [...grouped(reports, ({ fact }) => JSON.stringify(fact)).values()];
  return {
    first: reports[0],
    last: reports.at(-1),
    processed: reports.find(({ fact }) => fact.status === 'processed'),
    spare: equal.flatMap((some) => some.slice(1, -1)).map(({ seq }) => seq),
  };
}

/**
 * The state of an STF file of prompt processing, and its sites.
 * @param reports from the processing agent
 * @param told the registration of the file
 */
export function foldPrompt(
  reports: readonly SaidJobs[],
  announced: SaidFact<FactOf<'stf_gen'>> | undefined,
  told: SaidFact<FactOf<'told_stf'>> | undefined,
) {
  const { first, last, processed, spare } = foldJobs(reports);
  // A file with a job must have been registered.
  const registered = told ?? first;
  const status = last?.fact.status ?? (registered === undefined ? 'announced' : 'registered');
  return {
    row: {
      status,
      registered_at: registered === undefined ? null : timeOf(registered),
      processed_at: status === 'processed' && processed !== undefined ? timeOf(processed) : null,
      took_ms: registered && announced ? Math.max(0, registered.sent_ms - announced.sent_ms) : null,
    },
    sites: registered === undefined ? [] : sitesOf(last?.fact, told?.fact.sites),
    spare,
  };
}

const waitsAt = (site: string | undefined): SiteJob => ({
  site,
  status: 'registered',
  task_id: undefined,
  input_dataset: undefined,
  output_dataset: undefined,
  reason: undefined,
});

/**
 * The sites of a file: those reported, and chosen sites that have no job yet. The public programs do not choose
 * sites: they have only one.
 */
function sitesOf(jobs: FactOf<'told_jobs'> | undefined, chosen: readonly string[] | undefined): SiteJob[] {
  const { sites = [], status: whole, reason } = jobs ?? {};
  // A file that failed must have failed at a site, even if the agent reports no failure there.
  const isUnsaid = whole === 'failed' && !sites.some(({ status }) => status === 'failed');
  const known = sites.map((one) => {
    const status = isUnsaid && one.status !== 'processed' ? 'failed' : one.status;
    return { ...one, status, reason: status === 'failed' ? (one.reason ?? reason) : undefined };
  });
  if (chosen === undefined) return jobs === undefined ? [waitsAt(undefined)] : known;
  return [...known, ...chosen.filter((site) => !known.some((one) => one.site === site)).map(waitsAt)];
}
