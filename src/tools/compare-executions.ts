import { isNoticeable } from '../domain/shown.ts';
import { isPrompt } from '../domain/workflows.ts';
import { counted } from '../lib/counted.ts';
import { present } from '../lib/present.ts';
import { rounded } from '../lib/rounded.ts';
import { comparisonAnswer } from './answers/reports.ts';
import { clipShown } from './shared/clip.ts';
import { failedFiles } from './shared/sites.ts';
import { defineTool, requiredText, type ToolContext } from './shared/tool.ts';

const shownDifferences = 40;
const shownText = 220;

export const compareExecutionsTool = defineTool({
  name: 'compare_executions',
  title: 'Compare two executions',
  description:
    'Is this run slower than that one, and what changed? Stage delays, rates, failures and configuration of two executions side by side; ' +
    'differences lists what differs noticeably.',
  takesLong: () => true,
  takesMoment: true,
  input: () => ({
    execution_id: requiredText('a: execution id, or "latest"'),
    with_execution_id: requiredText('b: the execution to compare with'),
  }),
  output: comparisonAnswer,
  handle({ execution_id, with_execution_id }, context) {
    const [a, b] = [sideOf(execution_id, context), sideOf(with_execution_id, context)];
    const figures = Object.fromEntries(figuresOfBoth(a.figures, b.figures));
    const stages = a.delays.flatMap((delay) => {
      const other = b.delays.find(({ stage }) => stage === delay.stage);
      if (other === undefined) return [];
      const both = (key: 'p50' | 'p95' | 'max') => ({ a: delay[key], b: other[key] });
      return [{ stage: delay.stage, p50: both('p50'), p95: both('p95'), max: both('max') }];
    });
    const configuration = configurationDifferences(a.settings, b.settings);
    return present({
      a: a.execution.execution_id,
      b: b.execution.execution_id,
      status: { a: a.execution.status, b: b.execution.status },
      differences: [
        ...(a.execution.status === b.execution.status
          ? []
          : [`run a is ${a.execution.status}, run b is ${b.execution.status}`]),
        ...(isOver(a) && isOver(b)
          ? [...circumstances(a, b), ...figureWords(a.figures, b.figures, isSameSpeed(a, b))]
          : [`${isOver(a) || isOver(b) ? 'one of them has' : 'they have'} not ended: figures are for the time so far`]),
        ...onlyOne('run a', a, b),
        ...onlyOne('run b', b, a),
        ...(isSameSpeed(a, b) ? stages.flatMap(({ stage, p95 }) => stageWords(stage, p95)) : []),
        ...configuration.map((one) => `${one.key} is ${one.a ?? 'not set'} in run a, ${one.b ?? 'not set'} in run b`),
      ].slice(0, shownDifferences),
      figures,
      stages,
      configuration,
      data_as_of: context.queries.dataAsOf(),
    });
  },
});

/** Stages that one execution has reached and the other has not. */
const onlyOne = (name: string, mine: Side, theirs: Side) =>
  mine.delays
    .filter(({ stage }) => theirs.delays.every((other) => other.stage !== stage))
    .map(({ stage }) => `only ${name} has reached ${stage}`);

const isOver = ({ execution }: Side) => execution.status !== 'running';

/** Two runs at different speeds take different wall times, whatever else differs. */
const isSameSpeed = (a: Side, b: Side) => a.settings.get('speed')?.mark === b.settings.get('speed')?.mark;

/** Facts that readers need before they see the figures. */
const circumstances = (a: Side, b: Side) => [
  ...(isSameSpeed(a, b) ? [] : ['they ran at different speeds, so their wall times and rates are not compared']),
  ...Object.entries({ a, b }).flatMap(([name, { down_seconds }]) =>
    down_seconds < 0.5 ? [] : [`run ${name} had no driver for ${Math.round(down_seconds)} s`],
  ),
];

type Side = ReturnType<typeof sideOf>;

function sideOf(id: string, { queries, now }: ToolContext) {
  const execution = queries.execution(id);
  const assessed = queries.assessWithFindings(execution, now, queries.dataAsOf());
  const { detail, delays, duration_seconds, down_seconds } = assessed;
  const duration = duration_seconds === undefined ? undefined : Math.max(0.001, duration_seconds);
  return {
    execution,
    delays,
    down_seconds,
    figures: {
      duration_seconds: duration && rounded(duration),
      stf_count: execution.stf_count,
      ...(assessed.why_uncounted !== undefined
        ? { stf_failed: isPrompt(execution) ? failedFiles(execution) : undefined }
        : {
            slices_completed: execution.slices_completed,
            slices_failed: detail.slices_exhausted,
            slice_retries: detail.slice_retries ?? undefined,
            slices_per_second: duration && rounded(execution.slices_completed / duration),
          }),
    } satisfies Figures as Figures,
    settings: queries.settings(execution),
  };
}

/** The differing settings in displayed form; values that differ but look alike are marked. */
function configurationDifferences(a: Side['settings'], b: Side['settings']) {
  const keys = [...new Set([...a.keys(), ...b.keys()])].toSorted();
  return keys
    .filter((key) => a.get(key)?.mark !== b.get(key)?.mark)
    .map((key) => {
      const [mine, theirs] = [a.get(key), b.get(key)];
      const isAlike = mine?.shown === theirs?.shown;
      const shown = (one: typeof mine) =>
        one === undefined ? null : clipShown(isAlike ? `${one.shown} (${one.mark})` : one.shown, shownText);
      return present({ key, a: shown(mine), b: shown(theirs) });
    });
}

interface Pair {
  a: number;
  b: number;
}

const seconds = (value: number) => `${value < 10 ? value.toFixed(3) : value.toFixed(1)} s`;

/** The ratio of the larger value to the smaller one: `1.5 times`, `12 times`. */
function times({ a, b }: Pair) {
  const ratio = Math.max(a, b) / Math.min(a, b);
  return `${ratio < 9.95 ? ratio.toFixed(1) : Math.round(ratio)} times`;
}

/** The names and values of both executions, for a sentence that begins with the larger value. */
const largerFirst = ({ a, b }: Pair) =>
  a > b ? (['run a', a, 'run b', b] as const) : (['run b', b, 'run a', a] as const);

/** The sentence for each figure that differs noticeably. Seconds are wall time. */
const words = {
  duration_seconds: (both) => {
    const [name, took, other, rest] = largerFirst(both);
    return `${name} took ${seconds(took)}, ${times(both)} as long as ${other} (${seconds(rest)})`;
  },
  stf_count: ({ a, b }) => `run a has ${counted(a, 'STF file')}, run b ${b}`,
  stf_failed: ({ a, b }) => `${counted(a, 'STF file')} failed in run a, ${b} in run b`,
  slices_completed: ({ a, b }) => `${counted(a, 'slice')} completed in run a, ${b} in run b`,
  slices_failed: ({ a, b }) => `${counted(a, 'slice')} failed permanently in run a, ${b} in run b`,
  slice_retries: ({ a, b }) => `${counted(a, 'retry', 'retries')} in run a, ${b} in run b`,
  slices_per_second: (both) => {
    const [name, rate, other, rest] = largerFirst(both);
    if (rest === 0) return `${both.a} slices per second were completed in run a, ${both.b} in run b`;
    return `${name} completed ${rate} slices per second, ${times(both)} as many as ${other} (${rest})`;
  },
} satisfies Record<string, (both: Pair) => string>;

/** The available figures of an execution: prompt processing has no slices, and fast processing no failed files. */
type Figures = { [Name in keyof typeof words]?: number | undefined };

/** The figures that are known for both executions. */
const figuresOfBoth = (a: Figures, b: Figures): [keyof Figures, Pair][] =>
  (Object.keys(words) as (keyof Figures)[]).flatMap((name) => {
    const [mine, theirs] = [a[name], b[name]];
    return mine === undefined || theirs === undefined ? [] : [[name, { a: mine, b: theirs }]];
  });

/** Figures that depend on the speed of a run. */
const ofWallTime: ReadonlySet<keyof Figures> = new Set(['duration_seconds', 'slices_per_second'] as const);

/**
 * Sentences about the figures that differ noticeably.
 * @param isComparable whether durations and rates are compared too
 */
export const figureWords = (a: Figures, b: Figures, isComparable: boolean) =>
  figuresOfBoth(a, b).flatMap(([name, both]) => {
    if (!isComparable && ofWallTime.has(name)) return [];
    return isNoticeable(both.a, both.b, name === 'duration_seconds' ? 'seconds' : 'other') ? [words[name](both)] : [];
  });

/**
 * A sentence about the delays of a stage, if they differ noticeably.
 * @param p95 the 95th percentile of the delay in each execution, in seconds of wall time
 */
export function stageWords(stage: string, p95: Pair) {
  if (!isNoticeable(p95.a, p95.b, 'seconds')) return [];
  const [name, took, other, rest] = largerFirst(p95);
  const ratio = rest === 0 ? 'against' : `${times(p95)} the`;
  return [`${stage}: 95 % took at most ${seconds(took)} in ${name}, ${ratio} ${seconds(rest)} in ${other}`];
}
