import { foldPrompt } from './prompt.ts';
import { type FactOf, bySending, type SaidFact, standingBy, timeOf } from './said.ts';

export type StfFact = FactOf<'stf_gen' | 'stf_ready' | 'told_stf' | 'told_stf_ready' | 'told_jobs'>;
export type TfFact = FactOf<'tf_file_registered' | 'told_tf'>;

const isJobs = (said: SaidFact<StfFact>): said is SaidFact<FactOf<'told_jobs'>> => said.fact.kind === 'told_jobs';

/**
 * An STF file, from all messages about it in any order: one announces it, another says that it is ready, and a
 * REST call registers it. Undefined if there are no messages.
 * @param isPrompt whether the file belongs to prompt processing, where a file is ready once it is registered,
 * and is processed by PanDA
 */
export function foldStf(messages: readonly SaidFact<StfFact>[], isPrompt = false) {
  const reports = messages.filter(isJobs);
  const others = messages.filter((one) => !isJobs(one));
  const { stands, repeats } = standingBy(others, ({ kind }) => kind);
  const standing = <Kind extends StfFact['kind']>(kind: Kind) => stands.get(kind) as SaidFact<FactOf<Kind>> | undefined;
  const announced = standing('stf_gen');
  const told = standing('told_stf');
  const processed = standing('stf_ready') ?? standing('told_stf_ready');
  const sources = [announced, standing('stf_ready'), told, standing('told_stf_ready'), reports.toSorted(bySending)[0]];
  const [first, ...later] = sources.flatMap((one) => one ?? []);
  if (first === undefined) return undefined;
  const facts = [first, ...later].map(({ fact }): Partial<FactOf<'stf_ready'>> => ({ ...fact, kind: 'stf_ready' }));
  const known = <K extends keyof FactOf<'stf_ready'>>(field: K) =>
    facts.find((one) => one[field] !== undefined)?.[field] ?? null;
  const { row, sites, spare } = isPrompt
    ? foldPrompt(reports, announced, told)
    : { row: readyRow(processed, first), sites: [], spare: [] };
  return {
    row: {
      stf_filename: first.fact.stf_filename,
      sequence: known('sequence'),
      checksum: known('checksum'),
      size_bytes: known('size_bytes'),
      tf_count: known('tf_count'),
      created_at: timeOf(first),
      ...row,
    },
    sites,
    repeats,
    spare,
  };
}

const readyRow = (ready: SaidFact | undefined, first: SaidFact) => ({
  status: ready === undefined ? ('registered' as const) : ('processed' as const),
  registered_at: null,
  processed_at: ready === undefined ? null : timeOf(ready),
  took_ms: ready === undefined ? null : Math.max(0, ready.sent_ms - first.sent_ms),
});

/**
 * A TF file, from all messages about it: it is announced once, or only registered over REST. Undefined if there
 * are no messages.
 */
export function foldTf(messages: readonly SaidFact<TfFact>[]) {
  const { stands, repeats } = standingBy(messages, ({ kind }) => kind);
  const announced = stands.get('tf_file_registered');
  const first = announced ?? stands.get('told_tf');
  if (first === undefined) return undefined;
  const { tf_filename, stf_filename = null, tf_first = null, tf_last = null, tf_count = null } = first.fact;
  const row = { tf_filename, stf_filename, tf_first, tf_last, tf_count, created_at: timeOf(first) };
  return { row, isAnnounced: announced !== undefined, repeats };
}
