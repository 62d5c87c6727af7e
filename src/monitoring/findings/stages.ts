import { roundDuration } from '../../lib/duration.ts';
import { queueState, type StageState } from '../stage-states.ts';
import { call, defineDrivenFinding, type Found, type Situation } from './rule.ts';

const nothingDone: Readonly<Record<StageState['stage'], string>> = {
  daq_simulator: 'The DAQ simulator has announced nothing',
  data: 'The data agent has made no STF file ready',
  fastmon: 'Fastmon has registered no TF sample',
  fast_processing: 'The fast processing agent has queued no TF slice',
  worker: 'No worker has begun or ended a TF slice',
};

function stagesThatAre(
  state: 'stuck' | 'slow',
  severity: Found['severity'],
  { facts, evidence: { execution_id }, judged }: Situation,
): Found[] {
  const slices = { execution_id, status: facts.counts.slices_queued > 0 ? 'queued' : 'processing', order: 'oldest' };
  // Another finding reports slices in hand for too long.
  const stages = judged.stages.map((stage) => (stage.stage === 'worker' ? queueState(facts) : stage));
  return stages
    .filter((stage) => stage.state === state)
    .map(({ stage, waiting, idle_seconds, expected_seconds }) => ({
      severity,
      sentence: `${nothingDone[stage]} for ${roundDuration(idle_seconds)}, with ${waiting} waiting; ${expected_seconds === undefined ? 'what is usual is not known yet' : `${roundDuration(expected_seconds)} is usual`}.`,
      ids: [stage],
      about: stage,
      next: stage === 'worker' ? call('list_tf_slices', slices) : call('list_agents', { execution_id }),
    }));
}

export const stageStuck = defineDrivenFinding('STAGE_STUCK', (situation) => stagesThatAre('stuck', 'error', situation));

export const stageSlow = defineDrivenFinding('STAGE_SLOW', (situation) => stagesThatAre('slow', 'warning', situation));
