import type { Queries } from '../db/queries.ts';
import { dataWords } from '../domain/data-words.ts';
import { stagesForPeople } from '../domain/stages.ts';
import { someOf } from '../lib/counted.ts';
import { printable } from '../lib/printable.ts';
import { clause, markdownText, withPlainTimes } from '../lib/words.ts';
import { monitorOf } from './get-workflow-monitor.ts';
import { factsOf, verdictOf } from './monitor/facts.ts';

/** Maximum number of notes in a report, which shows the last ones. */
const shownNotes = 20;

/** Maximum length of a sentence, in characters. */
const longest = 500;

/**
 * The report on an execution as Markdown, from one state of the store. It leaves out agents, so that the same
 * past always gives the same text. Throws `EXECUTION_NOT_FOUND`.
 * @param now milliseconds since 1970
 */
export const reportOf = (queries: Queries, executionId: string, now: number) =>
  queries.snapshot(() => {
    const answer = monitorOf(executionId, { queries, now }, shownNotes);
    const execution = queries.execution(executionId);
    const { verdict, checks } = queries.audit(execution);
    const { slice_retries, slices_exhausted } = queries.executionRecord(execution);
    const { execution_id, run_id, findings, latency } = answer;
    const lines = [
      `# ${markdownText(execution_id)}${clause(', run ', run_id)}`,
      '',
      markdownText(verdictOf(answer), longest),
      '',
      ...factsOf({ ...answer, agents: [] }).map(({ label, words }) => `- ${label}: ${markdownText(words, longest)}`),
      ...((slice_retries ?? 0) === 0 ? [] : [`- retries: ${slice_retries}`]),
      ...(findings.length === 0 ? ['- findings: none'] : []),
      `- data: ${dataWords({ verdict, status: execution.status, slices_failed: slices_exhausted })}`,
      ...checks
        .filter(({ state }) => state !== 'ok')
        .map(
          ({ check, found, expected, problem = '', ids, id_count }) =>
            `  - ${check} ${found} of ${expected}: ${markdownText(problem, longest)}${namedIds(ids, id_count)}`,
        ),
      '',
      '| stage | items | p50 s | p95 s | max s |',
      '| --- | --- | --- | --- | --- |',
      ...latency.map(
        ({ stage, items, p50, p95, max }) => `| ${stagesForPeople(stage)} | ${items} | ${p50} | ${p95} | ${max} |`,
      ),
    ];
    return `${lines.map((line) => withPlainTimes(printable(line))).join('\n')}\n`;
  });

/** The first ids that a check found, and how many more there are. */
function namedIds(ids: readonly string[], count: number) {
  return ids.length === 0
    ? ''
    : `: ${someOf(
        ids.map((id) => markdownText(id)),
        count,
      )}`;
}
