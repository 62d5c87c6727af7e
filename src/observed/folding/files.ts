import { type FactOf, type SaidFact, standingBy, timeOf } from './said.ts';

export type StfFact = FactOf<'stf_gen' | 'stf_ready' | 'told_stf' | 'told_stf_ready'>;
export type TfFact = FactOf<'tf_file_registered' | 'told_tf'>;

/** An STF file by all messages about it, in any order: one announces it, another says it is ready, REST registers it. Undefined without any. */
export function foldStf(messages: readonly SaidFact<StfFact>[]) {
  const { stands, repeats } = standingBy(messages, ({ kind }) => kind);
  const [ready, toldReady] = [stands.get('stf_ready'), stands.get('told_stf_ready')];
  const sources = [stands.get('stf_gen'), ready, stands.get('told_stf'), toldReady].flatMap((one) => one ?? []);
  const [first] = sources;
  if (first === undefined) return undefined;
  const facts = sources.map(({ fact }): Partial<FactOf<'stf_ready'>> => ({ ...fact, kind: 'stf_ready' }));
  const known = <K extends keyof FactOf<'stf_ready'>>(field: K) =>
    facts.find((one) => one[field] !== undefined)?.[field] ?? null;
  const processed = ready ?? toldReady;
  const row = {
    stf_filename: first.fact.stf_filename,
    sequence: known('sequence'),
    status: processed === undefined ? 'registered' : 'processed',
    checksum: known('checksum'),
    size_bytes: known('size_bytes'),
    tf_count: known('tf_count'),
    created_at: timeOf(first),
    processed_at: processed === undefined ? null : timeOf(processed),
    took_ms: processed === undefined ? null : Math.max(0, processed.sent_ms - first.sent_ms),
  };
  return { row, repeats };
}

/** A TF file by all messages about it: it is announced once, or registered by REST alone. Undefined without any. */
export function foldTf(messages: readonly SaidFact<TfFact>[]) {
  const { stands, repeats } = standingBy(messages, ({ kind }) => kind);
  const announced = stands.get('tf_file_registered');
  const first = announced ?? stands.get('told_tf');
  if (first === undefined) return undefined;
  const { tf_filename, stf_filename = null, tf_first = null, tf_last = null, tf_count = null } = first.fact;
  const row = { tf_filename, stf_filename, tf_first, tf_last, tf_count, created_at: timeOf(first) };
  return { row, isAnnounced: announced !== undefined, repeats };
}
