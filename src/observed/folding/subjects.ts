import type { PhaseMessage } from '../../domain/run-phases.ts';
import type { Fact, ResultFact, ResultKey } from '../reading/fact.ts';
import type { FactOf } from './said.ts';

/** A subject of messages: a thing by its name, or a name that joins a result to its slice. */
export interface Subject {
  subject: string;
  key: string;
}

/** Phases that a run enters once. It may have many pauses. */
const phasesOnce: ReadonlySet<PhaseMessage> = new Set(['run_imminent', 'start_run', 'end_run']);

/** The subjects of messages about an STF file. */
export const stfSubjects = ['stf_gen', 'stf_ready', 'told_stf', 'told_stf_ready', 'told_jobs'] as const;
const isOfStf = (fact: Fact): fact is FactOf<(typeof stfSubjects)[number]> =>
  stfSubjects.some((kind) => kind === fact.kind);

const tfSubjects = ['tf_file_registered', 'told_tf'] as const;

/** The subjects of messages on the bus about a run and its files. */
export const busSubjects: readonly string[] = [...phasesOnce, 'handed_over', ...stfSubjects, ...tfSubjects].filter(
  (name) => !name.startsWith('told'),
);

const subject = (name: string, key: string | undefined): Subject[] =>
  key === undefined ? [] : [{ subject: name, key }];

/** A result by the name of a slice is about that slice. */
const resultSubject = ({ by, value }: ResultKey): Subject[] =>
  by === 'name' ? subject('slice', value) : subject('result', `${by} ${value}`);

/** REST names the slice of a result that may not have been heard. */
const toldSlice = ({ copyOf, slice_filename }: ResultFact): Subject[] =>
  copyOf === undefined ? [] : subject('slice', slice_filename);

/**
 * The subjects of a message; the first one is the thing whose messages can repeat one another. Empty for a
 * fact about the execution alone.
 */
export function subjectsOf(fact: Fact): Subject[] {
  if (isOfStf(fact)) return subject(fact.kind, fact.stf_filename);
  switch (fact.kind) {
    case 'phase':
      return phasesOnce.has(fact.type) ? subject(fact.type, '') : [];
    case 'handed_over':
      return subject(fact.kind, fact.site ?? '');
    case 'tf_file_registered':
    case 'told_tf':
      return subject(fact.kind, fact.tf_filename);
    case 'slice':
      return [
        ...subject('slice', fact.slice_filename),
        ...subject('request', fact.req_id),
        ...subject('id', fact.tf_slice_id),
        ...subject('time', fact.requested_at),
      ];
    case 'told_slice':
      return [...subject('told_slice', fact.slice_filename), ...subject('slice', fact.slice_filename)];
    case 'result':
      return [...resultSubject(fact.key), ...toldSlice(fact)];
    default:
      return [];
  }
}

/** The subjects of the messages that together with this one determine the state of a thing. */
export function relatedTo(fact: Fact): Subject[] {
  if (isOfStf(fact)) return about(stfSubjects, fact.stf_filename);
  switch (fact.kind) {
    case 'phase':
      return about([...phasesOnce], '');
    case 'tf_file_registered':
    case 'told_tf':
      return about(tfSubjects, fact.tf_filename);
    case 'slice': {
      const { slice_filename, req_id, tf_slice_id, requested_at } = fact;
      const names = Object.entries({ request: req_id, id: tf_slice_id, time: requested_at });
      const results = names.flatMap(([by, value]) => subject('result', value && `${by} ${value}`));
      return [...subject('slice', slice_filename), ...results];
    }
    case 'result': {
      const { by, value } = fact.key;
      return [...subjectsOf(fact), ...(by === 'name' ? [] : subject(by, value))];
    }
    default:
      return subjectsOf(fact);
  }
}

const about = (subjects: readonly string[], key: string): Subject[] => subjects.map((name) => ({ subject: name, key }));
