import { type CauseCount, clipCause } from '../../domain/causes.ts';
import { type Severity, severities } from '../../domain/states.ts';
import { counted } from '../../lib/counted.ts';
import type { Capacity } from '../capacity.ts';
import type { Evidence } from '../evidence.ts';
import type { Facts, SliceFacts } from '../facts.ts';
import type { HeardFacts } from '../heard-facts.ts';
import type { Pace } from '../pace.ts';
import type { StageState } from '../stage-states.ts';

/** An observation for the operator, with the tool call that shows its evidence. */
export interface Finding {
  code: string;
  severity: Severity;
  sentence: string;
  /** Why attempts failed, as an additional sentence. In an answer, only the first finding has this sentence. */
  causes?: string;
  /** The subjects of the finding: agents, workers, slices or messages. */
  ids: readonly string[];
  /** The programs concerned, if `ids` does not name them. */
  senders?: readonly string[];
  /**
   * The finding's one subject, if findings with this code may have different subjects. Each subject gets its
   * own alarm.
   */
  about?: string;
  next: { tool: string; arguments: Record<string, unknown> };
}

/** Conclusions from the facts, which findings use. */
export interface Judgement {
  stages: readonly StageState[];
  pace: Pace;
  capacity: Capacity | undefined;
}

/** How an execution is driven: its plan, its driver and agents, and what follows from them. */
export interface Situation extends Facts, Evidence, Judgement {}

/**
 * Everything known about an execution. A part that cannot be known is absent, and the rules that need it find
 * nothing.
 */
export interface Known {
  slices: SliceFacts;
  /** Facts that this store knows from the execution's plan and drivers. */
  driving?: Situation | undefined;
  /** Facts known from other programs' messages. */
  heard?: HeardFacts | undefined;
}

/** A tool call that shows more. */
export const call = (tool: string, args: Record<string, unknown>) => ({ tool, arguments: args });

/** A tool call that shows more about the execution itself. */
export const here = (tool: string, about: Record<string, unknown> = {}) => ({ tool, about });

/** A finding as its rule returns it. */
export type Found = Omit<Finding, 'code' | 'next'> & { next: Finding['next'] | ReturnType<typeof here> };

/** Builds a finding from its sentence, the tool call that shows more, its subjects, and further fields. */
const ofSeverity =
  (severity: Severity) =>
  (
    sentence: string,
    next: Found['next'],
    ids: readonly string[] = [],
    more: Pick<Found, 'causes' | 'senders' | 'about'> = {},
  ): Found => ({ severity, sentence, next, ids, ...more });
export const error = ofSeverity('error');
export const warning = ofSeverity('warning');
export const info = ofSeverity('info');

type Find<About> = (about: About) => Found | Found[] | undefined;

/** For each code, the function that looks for findings with that code. */
type Finds<About> = Readonly<Record<string, Find<About>>>;

/**
 * The rule for one kind of finding. It returns no finding, one, or several, all with the same code.
 * `docs/monitor.md` has a row for each code.
 */
export interface FindingRule {
  code: string;
  /** The part of the known facts that the rule needs. */
  needs: keyof Known;
  find: Find<Known>;
}

/** The rules that need one part of the known facts. They report nothing if that part is absent. */
export const rulesOf = <Part extends keyof Known>(needs: Part, finds: Finds<NonNullable<Known[Part]>>): FindingRule[] =>
  Object.entries(finds).map(([code, find]) => ({
    code,
    needs,
    find: ({ [needs]: about }) => about && find(about),
  }));

/**
 * Findings that apply only while an execution is running and has a driver. Without a driver, nothing happens;
 * another finding reports that.
 */
export const ifDriven = (finds: Finds<Situation>): Finds<Situation> =>
  Object.fromEntries(
    Object.entries(finds).map(([code, find]) => [
      code,
      (facts) => (facts.status === 'running' && isDriven(facts) ? find(facts) : undefined),
    ]),
  );

/** The findings of all rules, worst first. */
export const findingsBy = (rules: readonly FindingRule[], known: Known): Finding[] =>
  rules
    .flatMap(({ code, find }) => {
      const found = find(known);
      return found === undefined ? [] : [found].flat().map((one) => findingOf(code, one, known));
    })
    .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));

function findingOf(code: string, found: Found, { slices: { execution_id } }: Known): Finding {
  const { severity, sentence, causes = '', ids, next, ...more } = found;
  return {
    code,
    severity,
    sentence,
    ...(causes === '' ? {} : { causes }),
    ids,
    ...more,
    next: 'about' in next ? call(next.tool, { execution_id, ...next.about }) : next,
  };
}

/** Maximum number of attempts whose causes of failure are collected. */
export const attemptsLookedAt = 1000;

const namedCauses = 2;
const shownCause = 160;

/** The sentence of a finding, with its causes. */
export const wholeSentence = ({ sentence, causes = '' }: Pick<Finding, 'sentence' | 'causes'>) =>
  `${sentence}${causes === '' ? '' : ` ${causes}`}`;

/** The sentences of several findings; the causes are named only once. */
export function sentencesOf(findings: readonly Pick<Finding, 'sentence' | 'causes'>[]) {
  const first = findings.findIndex(({ causes = '' }) => causes !== '');
  return findings.map((finding, at) => (at === first ? wholeSentence(finding) : finding.sentence));
}

/**
 * The most frequent causes of failed attempts, as a sentence to append to another one; empty if there are
 * none.
 * @param what the words for the attempts, if only some of them count
 */
export function causesSentence(causes: readonly CauseCount[], what = 'attempt') {
  if (causes.length === 0) return '';
  const named = causes
    .slice(0, namedCauses)
    .map(({ cause, attempts }) => `${attempts} × ${clipCause(cause, shownCause)}`);
  const others = causes.length - named.length;
  const more = others > 0 ? `, and ${counted(others, 'other cause')}` : '';
  const attempts = causes.reduce((sum, one) => sum + one.attempts, 0);
  // Further attempts are not examined.
  const head =
    attempts >= attemptsLookedAt
      ? `Of ${attemptsLookedAt} failed attempts examined`
      : `${counted(attempts, what)} failed`;
  return `${head}: ${named.join(', ')}${more}.`;
}

/** Whether a driver is working on the execution, according to this store. */
export const isDriven = ({ driver }: Facts) => driver === undefined || driver.alive;

export const timeOf = (milliseconds: number) => new Date(milliseconds).toISOString();
