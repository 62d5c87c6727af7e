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
  /** Why attempts failed, as a further sentence: of the findings of an answer, the first names it. */
  causes?: string;
  /** Its subjects: agents, workers, slices, messages. */
  ids: readonly string[];
  /** The programs that it is about, if its ids name other things. */
  senders?: readonly string[];
  /** Its one subject, if findings of its code may have different ones: each gets its own alarm. */
  about?: string;
  next: { tool: string; arguments: Record<string, unknown> };
}

/** The conclusions from the facts that findings use. */
export interface Judgement {
  stages: readonly StageState[];
  pace: Pace;
  capacity: Capacity | undefined;
}

/** How an execution is driven: its plan, its driver and agents, and what follows. */
export interface Situation extends Facts, Evidence, Judgement {}

/**
 * All that is known about an execution. A part that cannot be known is absent, and its findings are silent.
 */
export interface Known {
  slices: SliceFacts;
  /** Where this store has its plan and its drivers. */
  driving?: Situation | undefined;
  /** Where it is known from messages of other programs. */
  heard?: HeardFacts | undefined;
}

/** The call of a tool that shows more. */
export const call = (tool: string, args: Record<string, unknown>) => ({ tool, arguments: args });

/** The same about the execution itself. */
export const here = (tool: string, about: Record<string, unknown> = {}) => ({ tool, about });

/** A finding as returned by its rule. If `ids` is absent, it has none. */
export type Found = Omit<Finding, 'code' | 'ids' | 'next'> &
  Partial<Pick<Finding, 'ids'>> & { next: Finding['next'] | ReturnType<typeof here> };

type Find<About> = (about: About) => Found | Found[] | undefined;

/** How to find each kind, by code. */
type Finds<About> = Readonly<Record<string, Find<About>>>;

/** One kind of finding: none, one, or several of its code. `docs/monitor.md` has a row per code. */
export interface FindingRule {
  code: string;
  /** The part of what is known that it needs. */
  needs: keyof Known;
  find: Find<Known>;
}

/** The rules of findings that need a part of what is known, and report nothing if it is absent. */
export const rulesOf = <Part extends keyof Known>(needs: Part, finds: Finds<NonNullable<Known[Part]>>): FindingRule[] =>
  Object.entries(finds).map(([code, find]) => ({
    code,
    needs,
    find: ({ [needs]: about }) => (about === undefined ? undefined : find(about)),
  }));

/**
 * Findings that apply only while an execution runs and has a driver. Without a driver nothing happens, and
 * another finding says so.
 */
export const ifDriven = (finds: Finds<Situation>): Finds<Situation> =>
  Object.fromEntries(
    Object.entries(finds).map(([code, find]) => [
      code,
      (facts) => (facts.status === 'running' && isDriven(facts) ? find(facts) : undefined),
    ]),
  );

/** The findings of all rules, the worst first. */
export const findingsBy = (rules: readonly FindingRule[], known: Known): Finding[] =>
  rules
    .flatMap(({ code, find }) => {
      const found = find(known);
      return found === undefined ? [] : [found].flat().map((one) => findingOf(code, one, known));
    })
    .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));

function findingOf(code: string, found: Found, { slices: { execution_id } }: Known): Finding {
  const { severity, sentence, causes = '', ids = [], next, ...more } = found;
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

/** Most attempts whose causes are collected. */
export const attemptsLookedAt = 1000;

const namedCauses = 2;
const shownCause = 160;

/** The sentence of a single finding, with its causes. */
export const wholeSentence = ({ sentence, causes = '' }: Pick<Finding, 'sentence' | 'causes'>) =>
  `${sentence}${causes === '' ? '' : ` ${causes}`}`;

/** The sentences of several findings, which name the causes once. */
export function sentencesOf(findings: readonly Pick<Finding, 'sentence' | 'causes'>[]): string[] {
  const first = findings.findIndex(({ causes = '' }) => causes !== '');
  return findings.map((finding, at) => (at === first ? wholeSentence(finding) : finding.sentence));
}

/**
 * The most frequent causes of failed attempts, as a sentence to append to another; empty without any.
 * @param what what failed, if not every attempt counts
 */
export function causesSentence(causes: readonly CauseCount[], what = 'attempt'): string {
  if (causes.length === 0) return '';
  const named = causes
    .slice(0, namedCauses)
    .map(({ cause, attempts }) => `${attempts} × ${clipCause(cause, shownCause)}`);
  const others = causes.length - named.length;
  const more = others > 0 ? `, and ${others} other ${others === 1 ? 'cause' : 'causes'}` : '';
  const attempts = causes.reduce((sum, one) => sum + one.attempts, 0);
  // More are not examined.
  const head =
    attempts >= attemptsLookedAt
      ? `Of ${attemptsLookedAt} failed attempts examined`
      : `${counted(attempts, what)} failed`;
  return `${head}: ${named.join(', ')}${more}.`;
}

/** Whether a driver works on it, according to this store. */
export const isDriven = ({ driver }: Facts) => driver === undefined || driver.alive;

export const timeOf = (milliseconds: number) => new Date(milliseconds).toISOString();
