import { counted } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { type StageState, itemOf, queueState } from '../stage-states.ts';
import { type Found, type Situation, call, type FindingRule, here, ifDriven, rulesOf, error, warning } from './rule.ts';

const nothingDone: Readonly<Record<StageState['stage'], string>> = {
  daq_simulator: 'The DAQ simulator has announced nothing',
  data: 'The data agent has reported no STF files as ready',
  fastmon: 'Fastmon has registered no TF samples',
  fast_processing: 'The fast processing agent has queued no TF slices',
  worker: 'No worker has started or finished a TF slice',
};

function stagesThatAre(state: 'stuck' | 'slow', severity: typeof error, facts: Situation): Found[] {
  const slices = { status: facts.counts.slices_queued > 0 ? 'queued' : 'processing', order: 'oldest' };
  // Another finding reports slices that have been in hand too long.
  const stages = facts.stages.map((stage) => (stage.stage === 'worker' ? queueState(facts) : stage));
  return stages
    .filter((stage) => stage.state === state)
    .map(({ stage, waiting, idle_seconds, expected_seconds }) =>
      severity(
        `${nothingDone[stage]} for ${roundDuration(idle_seconds)}, with ${counted(waiting, itemOf[stage])} ${stage === 'data' || stage === 'worker' ? 'waiting' : 'to make'}; ${expected_seconds === undefined ? 'the usual time is not known yet' : `${roundDuration(expected_seconds)} is usual`}.`,
        stage === 'worker' ? here('list_tf_slices', slices) : here('list_agents'),
        [stage],
        { about: stage },
      ),
    );
}

export const stageRules: readonly FindingRule[] = [
  ...rulesOf(
    'driving',
    ifDriven({
      STAGE_STUCK: (facts) => stagesThatAre('stuck', error, facts),

      STAGE_SLOW: (facts) => stagesThatAre('slow', warning, facts),

      /** No worker can get the TF files that it needs, and the host with those files is silent. */
      FILE_GONE: (facts) =>
        facts.gone.map(({ hostname, files, first, since }) =>
          error(
            `${hostname} has been silent since ${since}, so no worker can read the ${counted(files, 'TF file')} made there; the first is ${first}. Start a fastmon agent on another host to make them again, or bring ${hostname} back up.`,
            call('list_agents', { agent_type: 'fastmon' }),
            [first],
            { about: hostname },
          ),
        ),
    }),
  ),
  ...rulesOf('driving', {
    /**
     * An execution that was stopped or failed leaves slices undone; one that was stopped may also end before
     * all slices were created.
     */
    WORK_UNDONE: (facts) => {
      const { given_up, status, counts, slices_final, slices_planned = 0 } = facts;
      if (status === 'running' || status === 'completed') return undefined;
      const undone = counts.slices_created - slices_final;
      const unmade = Math.max(0, slices_planned - counts.slices_created);
      if (undone === 0 && (unmade === 0 || status !== 'terminated')) return undefined;
      const never = unmade === 0 ? '' : `; ${unmade} of ${slices_planned} planned slices were never made`;
      return warning(
        undone === 0
          ? `It ended (${status}) before ${unmade} of its ${slices_planned} planned TF slices were made${slices_final === 0 ? '' : '; all others have a final result'}.`
          : `It ended (${status}) with ${undone} of ${counts.slices_created} TF slices without a final result${given_up === 0 ? '' : `, ${given_up} of them in progress at the time`}${never}.`,
        here('audit_execution'),
      );
    },
  }),
];
