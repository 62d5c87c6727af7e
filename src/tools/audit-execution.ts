import type { Audit } from '../db/reports/audit.ts';
import { notProcessed } from '../domain/data-words.ts';
import type { ExecutionStatus, Health } from '../domain/states.ts';
import { isPrompt } from '../domain/workflows.ts';
import { counted, someOf } from '../lib/counted.ts';
import { present } from '../lib/present.ts';
import { auditAnswer } from './answers/reports.ts';
import { sitesPart } from './shared/sites.ts';
import { defineTool, requiredExecution } from './shared/tool.ts';

export const auditExecutionTool = defineTool({
  name: 'audit_execution',
  title: 'Audit an execution',
  description:
    'Is the data complete: did every announced STF become ready and yield its planned TF samples and slices without gap or overlap, does every slice have one result, ' +
    'and do stored counts match the rows? verdict: balanced, open (not done yet, or stopped early) or broken, with the ids of what is missing. ' +
    'Permanently failed slices are final but not processed: see slices_failed. verify_files checks the files.',
  takesLong: () => true,
  takesMoment: true,
  input: () => ({ execution_id: requiredExecution }),
  output: auditAnswer,
  handle({ execution_id }, { queries, now }) {
    const execution = queries.execution(execution_id);
    const audit = queries.audit(execution);
    const isDriven = queries.driver(execution.execution_id)?.isAlive();
    const health = isDriven === false ? undefined : queries.health(execution, now);
    const slices_failed =
      queries.whySlicesUncounted(execution) === undefined
        ? queries.executionRecord(execution).slices_exhausted
        : undefined;
    return present({
      execution_id: execution.execution_id,
      status: execution.status,
      verdict: audit.verdict,
      summary: summaryOf(
        audit,
        isPrompt(execution) ? undefined : (slices_failed ?? 0),
        openWords(execution.status, health, isDriven),
      ),
      slices_failed,
      sites: sitesPart(execution, { queries }).sites,
      checks: audit.checks.map((check) => ({ ...check })),
      data_as_of: queries.dataAsOf(),
    });
  },
});

/**
 * In words, the state of an execution whose records may be incomplete.
 * @param isDriven whether the execution has a driver; undefined if other programs run it
 */
function openWords(status: ExecutionStatus, health: Health | undefined, isDriven: boolean | undefined) {
  if (status === 'unknown') return 'Nothing more has been heard from it, and its end was not reported';
  if (status === 'failed') return 'It failed before everything was done';
  if (status !== 'running') return `It was ${status} before everything was known to be done`;
  if (health !== undefined) return `It is still running (health ${health})`;
  return isDriven === false
    ? 'Its driver is gone, and it is waiting to be resumed'
    : 'It is still running (health unknown)';
}

const asSentence = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

/**
 * The permanent failures in words. Failures do not make the records incomplete.
 * @param failed the number of failed slices; undefined if STF files are processed whole
 */
function failedWords({ checks }: Audit, failed: number | undefined) {
  if (failed !== undefined) return failed === 0 ? '' : ` ${notProcessed(failed)}.`;
  const { ids, id_count: files } = checks.find(({ check }) => check === 'stf_failed') ?? { ids: [], id_count: 0 };
  if (files === 0) return '';
  return ` ${counted(files, 'STF file')} failed in PanDA: ${someOf(ids, files, ids.length)}.`;
}

function summaryOf(audit: Audit, failed: number | undefined, words: string) {
  const wrong = audit.checks
    .filter(({ state }) => state !== 'ok')
    .map(({ check, state, found, expected, problem = '' }) =>
      state === 'unknown' || (state === 'open' && expected === 0)
        ? problem
        : state === 'open'
          ? `${expected - found} of ${expected} ${problem}`
          : `${check} ${found} of ${expected}: ${problem}`,
    );
  const lost = `${failedWords(audit, failed)}${audit.remark === undefined ? '' : ` ${audit.remark}`}`;
  switch (audit.verdict) {
    case 'balanced':
      return failed === undefined
        ? `Every announced STF file is registered, and PanDA is done with each; the data run is closed.${lost}`
        : `Everything that was announced exists and has exactly one result.${lost}`;
    case 'open':
      return `${words}; the records so far are consistent.${wrong.length > 0 ? ` ${asSentence(wrong.join('; '))}` : ''}${lost}`;
    case 'broken':
      return `The records contradict each other, or lack what a completed run must have: ${wrong.join('; ')}.${lost}`;
  }
}
