import { are, counted, were } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { longAgo, nextStepSeconds, secondsSince } from '../heard-facts.ts';
import { isNotClosed, isNotHandedOver, reportSeconds, unprocessedFor } from '../prompt-state.ts';
import { call, type FindingRule, here, rulesOf, error, warning } from './rule.ts';

/**
 * Findings about prompt processing. The bus reports only that a run was handed over; everything else is
 * reported over REST.
 */
export const promptRules: readonly FindingRule[] = rulesOf('heard', {
  NOT_HANDED_OVER: (facts) => {
    if (facts.prompt?.first_stf === undefined || !isNotHandedOver(facts)) return undefined;
    const since = facts.isOver ? '' : `, the first ${roundDuration(secondsSince(facts, facts.prompt.first_stf))} ago`;
    return error(
      `${were(facts.counts.stf_count, 'STF file')} announced${since}, but no data agent has handed the run over to PanDA (stf_ready): either no agent is running, or the agent cannot create the dataset, or no file was uploaded.`,
      here('list_messages'),
    );
  },

  DATA_AGENT_WAITS: ({ prompt, isOver, first_message, ...facts }) => {
    if (prompt?.waits_for === undefined || !prompt.isTold) return undefined;
    if (!isOver && secondsSince(facts, first_message) < nextStepSeconds) return undefined;
    return error(
      `No data agent has opened the run in the monitor, and the earlier run ${prompt.waits_for} was never closed: the data agent may wait for that run forever and never serve a later one. Restart the agent.`,
      call('list_agents', { agent_type: 'data', include_exited: true }),
      [prompt.waits_for],
    );
  },

  STF_NOT_REGISTERED: ({ prompt, isOver }) =>
    prompt === undefined || !prompt.isTold || prompt.unregistered.count === 0
      ? undefined
      : error(
          `${were(prompt.unregistered.count, 'STF file')} announced${longAgo(isOver)} but not registered: the upload failed, or the data agent is gone. PanDA does not process unregistered files.`,
          here('list_stf_files', { status: 'announced' }),
          prompt.unregistered.ids,
        ),

  STF_FAILED: ({ prompt }) => {
    if (prompt === undefined || prompt.failed.count === 0) return undefined;
    const { failed, reasons, sites } = prompt;
    const places = sites.flatMap(({ site, failed: n }) => (n === 0 || site === undefined ? [] : `${n} at ${site}`));
    // While other sites have the file, it has not failed altogether.
    return error(
      `${counted(failed.count, 'STF file')} failed in PanDA${places.length === 0 ? '' : ` (${places.join(', ')})`}${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}.`,
      here('list_stf_files', prompt.open.count === 0 ? { status: 'failed' } : {}),
      failed.ids,
    );
  },

  STF_NOT_PROCESSED: (facts) => {
    const { prompt, isObserved } = facts;
    if (prompt === undefined || prompt.open.count === 0) return undefined;
    const silent = unprocessedFor(facts);
    if (silent === undefined && isObserved) return undefined;
    return (silent === undefined ? warning : error)(
      silent !== undefined
        ? `${are(prompt.open.count, 'STF file')} waiting for PanDA, and no agent has reported on ${prompt.open.count === 1 ? 'it' : 'any of them'} for ${roundDuration(silent)}; at least one report is expected every ${roundDuration(reportSeconds(prompt))}. Either the processing agent is gone, or PanDA refused the task.`
        : `${counted(prompt.open.count, 'STF file')} had neither been processed nor failed when observation ended.`,
      call('list_agents', { agent_type: 'processing', include_exited: true }),
      prompt.open.ids,
    );
  },

  RUN_NOT_CLOSED: (facts) =>
    isNotClosed(facts)
      ? warning(
          `Data taking for run ${facts.run_id} has ended, but its data agent has not closed the run: the dataset stays open, and PanDA keeps waiting for more files.`,
          here('list_messages', { message_type: 'data_run_opened' }),
          [facts.run_id],
        )
      : undefined,

  WORKFLOWS_MIXED: ({ strangers, prompt }) =>
    strangers.length === 0
      ? undefined
      : warning(
          `Agents of both workflows are in this namespace: ${strangers.join(', ')} took part in this ${prompt === undefined ? 'fast' : 'prompt'}-processing run. Give each workflow its own namespace.`,
          call('list_agents', { include_exited: true }),
          strangers,
        ),
});
