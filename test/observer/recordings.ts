import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { readRecordings } from '../../src/observer/recording-reader.ts';
import { roundsFactor } from '../rounds.ts';

/** The names of the recorded runs of the testbed: `test/recordings/NAME/truth.md` describes each. */
export const recordedRuns = ['H-1', 'H-2', 'F-1', 'F-2'] as const;

/** One run of each dialect, for what takes seconds a run; the long proof takes all. */
export const someRecordedRuns = roundsFactor < 1 ? (['H-1', 'F-2'] as const) : recordedRuns;

/** The messages of a recorded run, in their order. */
export async function readRecording(run: string): Promise<MessageLine[]> {
  const lines: MessageLine[] = [];
  for await (const read of readRecordings([`test/recordings/${run}/bus.jsonl.gz`], () => {}))
    if (read.kind === 'message') lines.push(read.line);
  return lines;
}
