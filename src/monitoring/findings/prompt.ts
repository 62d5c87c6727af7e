import { counted, were } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { longAgo, nextStepSeconds, secondsSince } from '../heard-facts.ts';
import { isNotClosed, isNotHandedOver, reportSeconds, unprocessedFor } from '../prompt-state.ts';
import { call, type FindingRule, here, rulesOf } from './rule.ts';

/**
 * Findings about prompt processing. The bus reports only that a run was handed over; everything else is
 * reported over REST.
 */
export const promptRules: readonly FindingRule[] = rulesOf('heard', {
  NOT_HANDED_OVER: (facts) => {
    const { prompt, counts, isOver } = facts;
    if (prompt?.first_stf === undefined || !isNotHandedOver(facts)) return undefined;
    const since = isOver ? '' : `, the first ${roundDuration(secondsSince(facts, prompt.first_stf))} ago`;
    return {
      severity: 'error',
      sentence: `${were(counts.stf_count, 'STF file')} announced${since}, and no data agent has handed the run over to PanDA (stf_ready): no agent is running, the agent cannot create the dataset, or no file was uploaded.`,
      next: here('list_messages'),
    };
  },

  DATA_AGENT_WAITS: ({ prompt, isOver, first_message, ...facts }) => {
    if (prompt?.waits_for === undefined || !prompt.isTold) return undefined;
    if (!isOver && secondsSince(facts, first_message) < nextStepSeconds) return undefined;
    return {
      severity: 'error',
      sentence: `No data agent has opened the run at its monitor, and the earlier run ${prompt.waits_for} was never closed: its data agent may wait for that run forever, and serve no later one. Restart that agent.`,
      ids: [prompt.waits_for],
      next: call('list_agents', { agent_type: 'data', include_exited: true }),
    };
  },

  STF_NOT_REGISTERED: ({ prompt, isOver }) =>
    prompt === undefined || !prompt.isTold || prompt.unregistered.count === 0
      ? undefined
      : {
          severity: 'error',
          sentence: `${were(prompt.unregistered.count, 'STF file')} announced${longAgo(isOver)} and not registered: their upload failed, or the data agent is gone. PanDA does not process them.`,
          ids: prompt.unregistered.ids,
          next: here('list_stf_files', { status: 'announced' }),
        },

  STF_FAILED: ({ prompt }) => {
    if (prompt === undefined || prompt.failed.count === 0) return undefined;
    const { failed, reasons, sites } = prompt;
    const places = sites.flatMap(({ site, failed: n }) => (n === 0 || site === undefined ? [] : `${n} at ${site}`));
    return {
      severity: 'error',
      sentence: `${counted(failed.count, 'STF file')} failed in PanDA${places.length === 0 ? '' : ` (${places.join(', ')})`}${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}.`,
      ids: failed.ids,
      // While other sites have it, a file is not yet failed as a whole.
      next: here('list_stf_files', prompt.open.count === 0 ? { status: 'failed' } : {}),
    };
  },

  STF_NOT_PROCESSED: (facts) => {
    const { prompt, isObserved } = facts;
    if (prompt === undefined || prompt.open.count === 0) return undefined;
    const silent = unprocessedFor(facts);
    if (silent === undefined && isObserved) return undefined;
    const files = counted(prompt.open.count, 'STF file');
    return {
      severity: silent === undefined ? 'warning' : 'error',
      sentence:
        silent !== undefined
          ? `${files} ${prompt.open.count === 1 ? 'is' : 'are'} waiting for PanDA, and no agent has reported on any for ${roundDuration(silent)}; at least one report is expected every ${roundDuration(reportSeconds(prompt))}: the processing agent is gone, or PanDA refused the task.`
          : `${files} ${prompt.open.count === 1 ? 'was' : 'were'} neither processed nor failed when observation ended.`,
      ids: prompt.open.ids,
      next: call('list_agents', { agent_type: 'processing', include_exited: true }),
    };
  },

  RUN_NOT_CLOSED: (facts) =>
    isNotClosed(facts)
      ? {
          severity: 'warning',
          sentence: `Data taking of run ${facts.run_id} has ended, and its data agent has not closed the run: the dataset stays open, and PanDA keeps waiting for more files.`,
          ids: [facts.run_id],
          next: here('list_messages', { message_type: 'data_run_opened' }),
        }
      : undefined,

  WORKFLOWS_MIXED: ({ strangers, prompt }) =>
    strangers.length === 0
      ? undefined
      : {
          severity: 'warning',
          sentence: `Agents of both workflows are in this namespace: ${strangers.join(', ')} took part in this ${prompt === undefined ? 'fast' : 'prompt'}-processing run. Give each workflow its own namespace.`,
          ids: strangers,
          next: call('list_agents', { include_exited: true }),
        },
});
