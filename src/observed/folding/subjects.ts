import type { PhaseMessage } from '../../domain/run-phases.ts';
import type { Fact, ResultFact, ResultKey } from '../reading/fact.ts';
import type { FactOf } from './said.ts';

/** A subject of messages: the name of a thing, or a name by which a result is joined to its slice. */
export interface Subject {
  subject: string;
  key: string;
}

/** Phases that a run enters only once, unlike pauses. */
const phasesOnce: ReadonlySet<PhaseMessage> = new Set(['run_imminent', 'start_run', 'end_run']);

export const stfSubjects = ['stf_gen', 'stf_ready', 'told_stf', 'told_stf_ready', 'told_jobs'] as const;
const isOfStf = (fact: Fact): fact is FactOf<(typeof stfSubjects)[number]> =>
  stfSubjects.some((kind) => kind === fact.kind);

export const tfSubjects = ['tf_file_registered', 'told_tf'] as const;

/** The subjects of bus messages about a run and its files. */
export const busSubjects: readonly string[] = [...phasesOnce, 'handed_over', ...stfSubjects, ...tfSubjects].filter(
  (name) => !name.startsWith('told'),
);

const subject = (name: string, key: string | undefined): Subject[] =>
  key === undefined ? [] : [{ subject: name, key }];

/** If a result names its slice, that slice is its subject. */
const resultSubject = ({ by, value }: ResultKey): Subject[] =>
  by === 'name' ? subject('slice', value) : subject('result', `${by} ${value}`);

/** A result from REST names its slice, which may not have been received. */
const toldSlice = ({ copyOf, slice_filename }: ResultFact): Subject[] =>
  copyOf === undefined ? [] : subject('slice', slice_filename);

/**
 * The subjects of a message; none for a fact about the execution as a whole. If the message repeats another,
 * the repetition is recorded with the first subject.
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

/** The subjects of all messages that, together with this one, determine the state of a thing. */
export function relatedTo(fact: Fact): Subject[] {
  if (isOfStf(fact)) return about(stfSubjects, fact.stf_filename);
  switch (fact.kind) {
    case 'phase':
      return about([...phasesOnce], '');
    case 'tf_file_registered':
    case 'told_tf':
      return about(tfSubjects, fact.tf_filename);
    case 'slice': {
      const names = Object.entries({ request: fact.req_id, id: fact.tf_slice_id, time: fact.requested_at });
      const results = names.flatMap(([by, value]) => subject('result', value && `${by} ${value}`));
      return [...subject('slice', fact.slice_filename), ...results];
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
