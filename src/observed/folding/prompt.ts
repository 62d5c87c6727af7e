import { grouped } from '../../lib/grouped.ts';
import type { SiteJob } from '../reading/prompt.ts';
import { bySending, type FactOf, type SaidFact, timeOf } from './said.ts';

type SaidJobs = SaidFact<FactOf<'told_jobs'>>;

/**
 * The jobs of an STF file of prompt processing: its agent reports them each time that it queries PanDA,
 * usually unchanged. The last report counts. `spare`: the reports that can be skipped next time: of equal
 * ones, all but the first and the last.
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
 * @param reports from its agent
 * @param told the registration
 */
export function foldPrompt(
  reports: readonly SaidJobs[],
  announced: SaidFact<FactOf<'stf_gen'>> | undefined,
  told: SaidFact<FactOf<'told_stf'>> | undefined,
) {
  const { first, last, processed, spare } = foldJobs(reports);
  // A file with a job was registered.
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
 * The sites of a file: the reported ones, and those that were chosen and have no job yet. The public programs
 * choose none: they have one.
 */
function sitesOf(jobs: FactOf<'told_jobs'> | undefined, chosen: readonly string[] | undefined): SiteJob[] {
  const { sites = [], status: whole, reason } = jobs ?? {};
  // A file that failed must have failed at a site, whatever the agent reports.
  const isUnsaid = whole === 'failed' && !sites.some(({ status }) => status === 'failed');
  const known = sites.map((one) => {
    const status = isUnsaid && one.status !== 'processed' ? 'failed' : one.status;
    return { ...one, status, reason: status === 'failed' ? (one.reason ?? reason) : undefined };
  });
  if (chosen === undefined) return jobs === undefined ? [waitsAt(undefined)] : known;
  return [...known, ...chosen.filter((site) => !known.some((one) => one.site === site)).map(waitsAt)];
}
