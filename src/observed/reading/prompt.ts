import type { StfStatus } from '../../domain/states.ts';
import { type Fields, idOf, nameOf, objectOf, shortName, textOf } from './values.ts';

/**
 * The progress of one site with an STF file. A field that no program reported is undefined: the public programs have
 * one site, without a name.
 */
export interface SiteJob {
  site: string | undefined;
  status: JobStatus;
  task_id: string | undefined;
  input_dataset: string | undefined;
  output_dataset: string | undefined;
  /** Why it failed. */
  reason: string | undefined;
}

/** The state of a file at a site: it is waiting there, its job was submitted, or has ended. */
type JobStatus = Exclude<StfStatus, 'announced'>;

const siteOf = (value: unknown) => shortName(idOf(value));

/** Keys that only the fork's programs of prompt processing write into a message. */
export const saysDecision = (body: Fields) =>
  ['decision_box_enabled', 'decision_policy', 'decision_sequence', 'non_decision_box_site', 'input_dataset'].some(
    (key) => key in body,
  );

/** The dataset of a run: only prompt processing announces one, with the folder of its files. */
export const datasetOf = (body: Fields) => ('container' in body ? nameOf(body['dataset']) : undefined);

/** The policy that chooses where each STF file is processed, as stated by the runner. */
export const policyOf = (body: Fields) =>
  body['decision_box_enabled'] === false ? undefined : shortName(textOf(body['decision_policy']));

/**
 * The data agent hands a run over to PanDA with a message that names no file: once for the run, or once for
 * each site that receives files.
 */
export function handedOver(body: Fields) {
  if (idOf(body['req_id']) === undefined) return undefined;
  const isDecided = body['decision_box_enabled'] !== false;
  return {
    kind: 'handed_over' as const,
    site: siteOf(body[isDecided ? 'site' : 'non_decision_box_site']),
    input_dataset: nameOf(body['input_dataset']),
  };
}

/** The sites that a registration chose for a file, with their datasets; undefined if it does not say. */
export function chosenSites(metadata: Fields): string[] | undefined {
  const sites = metadata['decision_box_selected_sites'];
  return Array.isArray(sites) ? sites.flatMap((site) => siteOf(site) ?? []) : undefined;
}

/**
 * Whether a change of an STF file's row comes from the processing agent, which records there what PanDA
 * reports.
 */
export const isTracked = (metadata: Fields) => Object.keys(metadata).some((key) => key.startsWith('panda_'));

const statuses: readonly string[] = ['registered', 'processing', 'processed', 'failed'] satisfies JobStatus[];

const jobStatus = (value: unknown) =>
  typeof value === 'string' && statuses.includes(value) ? (value as JobStatus) : undefined;

/**
 * The jobs of an STF file in PanDA, by site; undefined if the change does not come from the processing agent.
 */
export function jobsOf(stf_filename: string, { status: told, metadata: noted }: Fields) {
  const status = jobStatus(told);
  const metadata = objectOf(noted);
  if (status === undefined || !isTracked(metadata)) return undefined;
  const sites = Object.entries(objectOf(metadata['panda_site_statuses'])).flatMap(([name, value]): SiteJob[] => {
    const site = siteOf(name);
    const work = objectOf(value);
    // Its words for work in progress may differ.
    return site === undefined ? [] : [{ site, status: jobStatus(work['status']) ?? 'processing', ...siteWork(work) }];
  });
  const whole = siteWork({
    task_id: metadata['panda_task_id'],
    output_dataset: metadata['panda_output_dataset'],
    reason: metadata['panda_poll_reason'],
  });
  const only: SiteJob = { site: siteOf(metadata['panda_selected_site']), status, ...whole };
  return {
    kind: 'told_jobs' as const,
    stf_filename,
    status,
    reason: status === 'failed' ? whole.reason : undefined,
    sites: sites.length === 0 ? [only] : sites,
  };
}

const siteWork = ({ task_id, input_dataset, output_dataset, reason }: Fields) => ({
  task_id: idOf(task_id),
  input_dataset: nameOf(input_dataset),
  output_dataset: nameOf(output_dataset),
  reason: textOf(reason),
});
