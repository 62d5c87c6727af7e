import { promptProcessing } from '../../domain/workflows.ts';
import { type FactOf, type SaidFact, standingBy } from '../../observed/folding/said.ts';
import type { SiteJob } from '../../observed/reading/prompt.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { foldWith, type ObservedScope } from './said.ts';

/** Whether an execution is known to belong to prompt processing. */
export const isOfPrompt = ({ sql, execution_id }: Pick<ObservedScope, 'sql' | 'execution_id'>) =>
  sql('SELECT 1 FROM workflow_executions WHERE execution_id = ? AND workflow_name = ?').has(
    execution_id,
    promptProcessing,
  );

/**
 * As SQL: the STF files of an execution that await PanDA's result: they have a site, and are registered or
 * being processed.
 * @param id as SQL: the id of the execution
 */
export const openFiles = (id: string) =>
  `FROM stf_files WHERE execution_id = ${id} AND status IN ('registered', 'processing')
     AND stf_filename IN (SELECT stf_filename FROM stf_sites WHERE execution_id = ${id})`;

export const hasOpenFiles = (sql: Prepare, executionId: string) =>
  sql(`SELECT 1 ${openFiles('$id')} LIMIT 1`).has({ id: executionId });

/**
 * The executions in progress: running ones, and ended ones of prompt processing while PanDA still has their
 * files or their data run is still open.
 */
export const executionsUnderWay = (sql: Prepare) =>
  sql<string>(
    `SELECT execution_id FROM workflow_executions AS e WHERE status = 'running' OR (workflow_name = '${promptProcessing}' AND (
       EXISTS (SELECT 1 ${openFiles('e.execution_id')})
       OR EXISTS (SELECT 1 FROM runs AS r WHERE r.execution_id = e.execution_id AND dataset_state = 'open')))`,
  ).values();

/** Records the policy for choosing sites, which is the same for all STF files of a run. */
export function notePolicy({ sql, execution_id }: ObservedScope, policy: string) {
  sql('UPDATE observed_runs SET policy = min(coalesce(policy, $policy), $policy) WHERE execution_id = $id').run({
    policy,
    id: execution_id,
  });
}

/** Writes the state of an STF file at its sites. An unnamed site is the file's only site. */
export function writeSites({ sql, execution_id }: ObservedScope, stf: string, sites: readonly SiteJob[]) {
  sql('DELETE FROM stf_sites WHERE execution_id = ? AND stf_filename = ?').run(execution_id, stf);
  for (const work of sites)
    sql(
      `INSERT INTO stf_sites (execution_id, stf_filename, site, status, task_id, input_dataset, output_dataset, reason)
       VALUES ($execution_id, $stf, coalesce($site, ''), $status, $task_id, $input_dataset, $output_dataset, $reason) ON CONFLICT DO NOTHING`,
    ).run({ ...work, execution_id, stf });
}

type SaidHandOver = SaidFact<FactOf<'handed_over'>>;

/** Records the hand-over of a run to PanDA. A run is handed over once per site, so only the first message counts. */
export function handedOverSaid(scope: ObservedScope, said: SaidHandOver, earlier: SaidHandOver | undefined) {
  const { stands } = foldWith(scope, said, earlier, (messages: SaidHandOver[]) =>
    standingBy(messages, ({ site = '' }) => site),
  ).after;
  for (const { fact, sent_ms } of stands.values())
    scope
      .sql(
        `INSERT INTO handed_over (execution_id, site, input_dataset, at_ms) VALUES ($execution_id, coalesce($site, ''), $input_dataset, $sent_ms)
         ON CONFLICT (execution_id, site) DO UPDATE SET input_dataset = excluded.input_dataset, at_ms = excluded.at_ms`,
      )
      .run({ site: fact.site, input_dataset: fact.input_dataset, execution_id: scope.execution_id, sent_ms });
}

/**
 * Applies the opening or closing of an execution's data run, as reported over REST. Once closed, a data run
 * stays closed.
 */
export function dataRunTold({ sql, execution_id }: ObservedScope, { fact }: SaidFact<FactOf<'told_run'>>) {
  sql(
    `UPDATE runs SET dataset_state = iif($isClosed OR dataset_state = 'final', 'final', 'open') WHERE execution_id = $id`,
  ).run({ isClosed: fact.isClosed ? 1 : 0, id: execution_id });
}
