import * as z from 'zod';

import { present } from '../lib/present.ts';
import { rounded } from '../lib/rounded.ts';
import { comparisonAnswer } from './answers/comparison.ts';
import { type Figures, figureWords, settingWords, stageWords } from './comparison-words.ts';
import { clipShown } from './shared/clip.ts';
import { defineTool, type ToolContext } from './shared/tool.ts';

const shownDifferences = 40;
const shownText = 220;

export const compareExecutionsTool = defineTool({
  name: 'compare_executions',
  title: 'Compare two executions',
  description:
    'Is this run slower than that one, and what changed? Delays of each stage, rates, failures and the configuration of two executions side by side; ' +
    'differences says in sentences what differs noticeably.',
  takesLong: () => true,
  takesMoment: true,
  input: () =>
    z.strictObject({
      execution_id: z.string().min(1).max(300).describe('a: execution id, or "latest"'),
      with_execution_id: z.string().min(1).max(300).describe('b: the one to compare with'),
    }),
  output: comparisonAnswer,
  handle({ execution_id, with_execution_id }, context) {
    const [a, b] = [sideOf(execution_id, context), sideOf(with_execution_id, context)];
    const figures = Object.fromEntries(
      (Object.keys(a.figures) as (keyof Figures)[]).map((name) => [name, { a: a.figures[name], b: b.figures[name] }]),
    );
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
          : [`a is ${a.execution.status}, b is ${b.execution.status}`]),
        ...(isOver(a) && isOver(b)
          ? [...circumstances(a, b), ...figureWords(a.figures, b.figures, isSameSpeed(a, b))]
          : [`${isOver(a) || isOver(b) ? 'one of them has' : 'they have'} not ended: the figures are those so far`]),
        ...onlyOne('a', a, b),
        ...onlyOne('b', b, a),
        ...(isSameSpeed(a, b) ? stages.flatMap(({ stage, p95 }) => stageWords(stage, p95)) : []),
        ...configuration.map(settingWords),
      ].slice(0, shownDifferences),
      figures,
      stages,
      configuration,
      data_as_of: context.queries.dataAsOf(),
    });
  },
});

/** Stages that one has reached and the other has not. */
const onlyOne = (name: string, mine: Side, theirs: Side): string[] =>
  mine.delays
    .filter(({ stage }) => theirs.delays.every((other) => other.stage !== stage))
    .map(({ stage }) => `only ${name} has reached ${stage}`);

const isOver = ({ execution }: Side): boolean => execution.status !== 'running';

/** Two runs at different speeds take different wall times, whatever else differs. */
const isSameSpeed = (a: Side, b: Side): boolean => a.settings.get('speed')?.mark === b.settings.get('speed')?.mark;

/** Facts to know before the figures. */
const circumstances = (a: Side, b: Side): string[] => [
  ...(isSameSpeed(a, b) ? [] : ['they ran at different speeds, so their wall times and rates are not compared']),
  ...Object.entries({ a, b }).flatMap(([name, { down_seconds }]) =>
    down_seconds < 0.5 ? [] : [`${name} had no driver for ${Math.round(down_seconds)} s of its time`],
  ),
];

type Side = ReturnType<typeof sideOf>;

function sideOf(id: string, { queries, now }: ToolContext) {
  const execution = queries.execution(id);
  const assessed = queries.assessWithFindings(execution, now, queries.dataAsOf());
  const { detail, delays, duration_seconds, down_seconds } = assessed;
  const duration = Math.max(0.001, duration_seconds);
  return {
    execution,
    delays,
    down_seconds,
    figures: {
      duration_seconds: rounded(duration),
      stf_count: execution.stf_count,
      slices_completed: execution.slices_completed,
      slices_failed: detail.slices_exhausted,
      slice_retries: detail.slice_retries,
      slices_per_second: rounded(execution.slices_completed / duration),
    } satisfies Figures,
    settings: queries.settings(execution),
  };
}

/** The differing settings, as they may be shown; values that only look alike have a mark behind them. */
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
