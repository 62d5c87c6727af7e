import type { ListedExecution } from '../../db/lists/executions.ts';
import type { Past } from '../../db/past-queries.ts';
import { SwfError } from '../../lib/errors.ts';
import { type Finding, wholeSentence } from '../../monitoring/findings/rule.ts';
import type { LiveContext } from '../shared/tool.ts';
import { maxReplayed, type PersonAction, type Shift } from './shift.ts';

/** A finding that an execution had in a shift. Times are ISO 8601. */
export type Trouble = ReturnType<typeof troublesIn>[number];

/** Moments of each execution to examine first, and then between two of these if something changed. */
const coarse = 16;
const fine = 8;

/** Rounds of a closer look: each makes the moment eight times as precise. */
const rounds = 2;

type Asking = Pick<LiveContext, 'past' | 'now' | 'queries' | 'signal'>;

/** The findings of an execution at a moment, by code. */
type Told = ReadonlyMap<string, Finding>;

interface Watched {
  row: ListedExecution;
  /** Milliseconds since 1970. */
  from: number;
  until: number;
  told: Map<number, Told>;
}

/**
 * The troubles of a shift: when each finding began, when it was first reported, and when somebody did something. It finds them by asking the
 * monitor about earlier moments, closer and closer.
 * @returns the troubles, and the executions that are too large to examine
 */
export async function troublesOf(
  context: Asking,
  shift: Shift,
  { all, actions }: { all: readonly ListedExecution[]; actions: readonly PersonAction[] },
): Promise<{ troubles: Trouble[]; unseen: string[] }> {
  const { watched, unseen } = watchedIn(context, shift, all);
  const ask = async (momentsOf: (one: Watched) => number[]): Promise<void> => {
    const moments = watched.flatMap((one) => momentsOf(one).map((at) => ({ one, at })));
    // Forward through time: moving a store to a later moment is cheap.
    const inOrder = moments.toSorted((a, b) => a.at - b.at);
    for (const { one, at } of inOrder) {
      if (context.signal.aborted) return;
      const found = await context.past(new Date(at).toISOString(), context.now(), (past) =>
        toldIn(past, one.row.execution_id),
      );
      one.told.set(at, found);
    }
  };
  await ask(({ from, until }) => spread(from, until, coarse));
  for (let round = 0; round < rounds; round += 1)
    await ask((one) => changesOf(one).flatMap(({ from, until }) => spread(from, until, fine)));
  const troubles = watched.flatMap((one) => troublesIn(one, actions));
  return { troubles: troubles.toSorted((a, b) => (a.told_at < b.told_at ? -1 : 1)), unseen };
}

/** Executions that lived in the shift, newest first, as many as can be read again. */
function watchedIn({ now, queries }: Asking, shift: Shift, all: readonly ListedExecution[]) {
  const end = Math.min(now(), Date.parse(shift.end_time));
  let left = maxReplayed;
  const watched: Watched[] = [];
  const unseen: string[] = [];
  for (const row of all) {
    const from = Math.max(Date.parse(shift.start_time), Date.parse(row.start_time));
    const over = row.end_time === null ? end : Math.min(end, Date.parse(row.end_time) + 1);
    const messages = queries().messageCount(row.execution_id);
    if (messages > left) {
      unseen.push(row.execution_id);
      continue;
    }
    left -= messages;
    watched.push({ row, from, until: Math.max(from, over), told: new Map() });
  }
  return { watched, unseen };
}

/** Times from one to another, the last one included. */
const spread = (from: number, until: number, count: number): number[] => [
  ...new Set(Array.from({ length: count }, (_, n) => Math.round(from + ((until - from) * (n + 1)) / count))),
];

const toldIn = ({ queries, now }: Past, executionId: string): Told =>
  queries.snapshot(() => {
    try {
      const execution = queries.execution(executionId);
      const { findings } = queries.assessWithFindings(execution, now, queries.dataAsOf());
      return new Map(findings.filter(({ severity }) => severity !== 'info').map((finding) => [finding.code, finding]));
    } catch (error) {
      // It was not on record yet.
      if (error instanceof SwfError && error.code === 'EXECUTION_NOT_FOUND') return new Map();
      throw error;
    }
  });

const inOrderOf = ({ told }: Watched): [number, Told][] => [...told].toSorted(([a], [b]) => a - b);

/** The periods between two moments that reported different findings. */
function changesOf(one: Watched): { from: number; until: number }[] {
  const moments = inOrderOf(one);
  const codesOf = (told: Told | undefined): string => [...(told?.keys() ?? [])].toSorted().join();
  return moments.flatMap(([at, told], n) => {
    const [before = one.from, earlier] = moments[n - 1] ?? [];
    return codesOf(told) === codesOf(earlier) || at - before < 2 ? [] : [{ from: before, until: at }];
  });
}

function troublesIn(one: Watched, actions: readonly PersonAction[]) {
  const moments = inOrderOf(one);
  const codes = new Set(moments.flatMap(([, told]) => [...told.keys()]));
  const own = actions.filter(({ execution_id, did }) => execution_id === one.row.execution_id && did !== 'started');
  return [...codes].map((code) => {
    const first = moments.findIndex(([, told]) => told.has(code));
    const last = moments.findLastIndex(([, told]) => told.has(code));
    const finding = moments[last]?.[1].get(code) as Finding;
    const told_at = isoOf(moments[first]?.[0]);
    const gone = moments[last + 1]?.[0];
    const action = own.find(({ time }) => time >= told_at);
    return {
      execution_id: one.row.execution_id,
      code,
      severity: finding.severity,
      sentence: wholeSentence(finding),
      /** Since when it was so, if its sentence says that. */
      began_at: /\bsince (\d{4}-\d\d-\d\dT[\d:.]+Z)/.exec(moments[first]?.[1].get(code)?.sentence ?? '')?.[1],
      /** The first examined moments at which it was reported, and at which it no longer was; undefined if it was at the end. */
      told_at,
      gone_at: gone === undefined ? undefined : isoOf(gone),
      /** The first thing that somebody did about the execution after it was reported. */
      answered: action === undefined ? undefined : { at: action.time, by: action.name, did: action.did },
    };
  });
}

const isoOf = (time = 0): string => new Date(time).toISOString();
