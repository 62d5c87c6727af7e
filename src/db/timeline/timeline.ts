import type { ExecutionParams } from '../../domain/params.ts';
import type { Steps } from '../../lib/steps.ts';
import { type PhaseBand, type PhaseChange, phasesOf } from '../../monitoring/timeline/phases.ts';
import { type Picture, type WantedPicture, pictureOf } from '../../monitoring/timeline/picture.ts';
import type { ExecutionRow } from '../execution/find-execution.ts';
import { stagePictures } from '../reports/stage-delays.ts';
import { phaseChanges } from '../reports/waiting.ts';
import { kept } from '../sqlite/kept-answers.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { AttemptHistory } from './attempt-history.ts';

/** The execution, and the part of it to draw. */
export interface TimelineQuestion extends WantedPicture {
  execution: ExecutionRow;
  /** Times about which nothing is known, or when nobody could do anything. */
  holes: readonly PhaseBand[];
}

/** A picture, and the place in the log that it reflects. */
export interface Timeline extends Picture {
  seq: number;
}

/** Draws an execution. Take each step in a snapshot. */
export function* timelineOf(sql: Prepare, history: AttemptHistory, question: TimelineQuestion): Steps<Timeline> {
  const { execution, life } = question;
  const attempts = yield* history.follow();
  return {
    seq: history.seq,
    phases: [...phasesSince(life.start, phaseChanges(sql, execution.execution_id, maxChanges)), ...question.holes],
    latency: kept(sql, stagePictures)(execution.execution_id),
    ...pictureOf(attempts, question),
  };
}

/** Two intervals of the DAQ in wall time: narrower bins would beat with them. Milliseconds. */
export const minWidth = ({ daq_state_machine: daq, speed }: ExecutionParams): number =>
  speed === 'max' ? 1 : (2000 * (daq.stf_interval + daq.stf_generation_time)) / speed;

/** How many phase changes to show: a run of very many periods does not show each. */
const maxChanges = 2000;

/** With very many changes the first are unknown, as is the phase before them. */
function phasesSince(start: number, changes: readonly PhaseChange[]) {
  const [first] = changes;
  return phasesOf(first !== undefined && changes.length === maxChanges ? first.at : start, changes);
}
