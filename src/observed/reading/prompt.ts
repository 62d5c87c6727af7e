import type { StfStatus } from '../../domain/states.ts';
import { type Fields, idOf, nameOf, objectOf, shortName, textOf } from './values.ts';

/**
 * The progress of an STF file at one site. Fields that no program reported are undefined: the public programs
 * have one site, without a name.
 */
export interface SiteJob {
  site: string | undefined;
  status: JobStatus;
  task_id: string | undefined;
  input_dataset: string | undefined;
  output_dataset: string | undefined;
  reason: string | undefined;
}

/** The state of a file at a site: it is waiting there, or its job was submitted or has ended. */
type JobStatus = Exclude<StfStatus, 'announced'>;

const siteOf = (value: unknown) => shortName(idOf(value));

/** Whether a message has keys that only the fork's prompt processing programs write. */
export const saysDecision = (body: Fields) =>
  ['decision_box_enabled', 'decision_policy', 'decision_sequence', 'non_decision_box_site', 'input_dataset'].some(
    (key) => key in body,
  );

/** The dataset of a run. Only prompt processing announces a dataset, with the folder of the dataset's files. */
export const datasetOf = (body: Fields) => ('container' in body ? nameOf(body['dataset']) : undefined);

/** The policy that chooses where each STF file is processed, as announced by the runner. */
export const policyOf = (body: Fields) =>
  body['decision_box_enabled'] === false ? undefined : shortName(textOf(body['decision_policy']));

/**
 * The data agent hands a run over to PanDA with a message that names no file: once per run, or once per site
 * that receives files.
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

/** The sites that a registration chose for a file; undefined if it names none. */
export function chosenSites(metadata: Fields) {
  const sites = metadata['decision_box_selected_sites'];
  return Array.isArray(sites) ? sites.flatMap((site) => siteOf(site) ?? []) : undefined;
}

/**
 * Whether a change to an STF file's row comes from the processing agent, which records PanDA's reports in that
 * row.
 */
export const isTracked = (metadata: Fields) => Object.keys(metadata).some((key) => key.startsWith('panda_'));

const statuses: readonly string[] = ['registered', 'processing', 'processed', 'failed'] satisfies JobStatus[];

const jobStatus = (value: unknown) =>
  typeof value === 'string' && statuses.includes(value) ? (value as JobStatus) : undefined;

/**
 * The jobs of an STF file in PanDA, by site; undefined if this change to the file's row was not made by the
 * processing agent.
 */
export function jobsOf(stf_filename: string, { status: told, metadata: noted }: Fields) {
  const status = jobStatus(told);
  const metadata = objectOf(noted);
  if (status === undefined || !isTracked(metadata)) return undefined;
  const sites = Object.entries(objectOf(metadata['panda_site_statuses'])).flatMap(([name, value]): SiteJob[] => {
    const site = siteOf(name);
    const work = objectOf(value);
    // For work in progress, the agent may report a status that is not known here.
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
