import { random } from '../src/domain/plan/v1.ts';
import type { LogLevel } from '../src/lib/logger.ts';

/**
 * The fate of a slice: its number of failed attempts, and whether one more attempt succeeds, has begun, or
 * is waiting.
 */
interface Fate {
  failures: number;
  last: 'done' | 'begun' | 'waits' | 'nothing';
}

/** The shape of a generated store. */
export interface Shape {
  /** The number of STFs of the next execution, or undefined once there are enough messages. */
  nextStfs: (made: { executions: number; messages: number }) => number | undefined;
  /** How long ago the first execution began, and the time between STFs, in seconds. */
  age: number;
  interval: number;
  params: Record<string, Record<string, unknown>>;
  fateOf: (run: number, sequence: number, slice: number) => Fate;
  /** Whether the n-th execution is left without an end. */
  isOpen: (number: number) => boolean;
  /** A log line for each message, in addition to the lines that agents write. */
  chatter?: (index: number) => LogLevel;
}

/** The sizes of successive executions, in STFs: from a short test to a run of two hours. */
const sizes = [10, 100, 10, 1000, 30, 300, 10, 10_800];
const messagesPerStf = 48;

/** One slice in `failsOnce` fails once, and one in `failsForGood` fails permanently. */
const failsOnce = 50;
const failsForGood = 2000;

/**
 * Realistic runs: successive executions of 10 to 10,800 STFs at 1.5 Hz, with 15 slices per sample on 300
 * workers, failures, retries, and the log lines that agents write.
 * @param wanted minimum number of messages; the last execution is cut short once there are enough
 */
export function realRuns(wanted: number): Shape {
  return {
    nextStfs: ({ executions, messages }) =>
      messages >= wanted
        ? undefined
        : Math.min(sizes[executions % sizes.length] ?? 10, Math.ceil((wanted - messages) / messagesPerStf) + 1),
    age: (wanted / messagesPerStf) * 0.67,
    interval: 0.665,
    params: { fast_processing: { slices_per_sample: 15, target_worker_count: 300 } },
    fateOf: (run, sequence, slice) => {
      const chance = Math.floor(random(run, sequence * 100 + slice, 'fate') * failsForGood);
      if (chance === 0) return { failures: 4, last: 'nothing' };
      return { failures: chance % failsOnce === 1 ? 1 : 0, last: 'done' };
    },
    isOpen: () => false,
  };
}

/**
 * A shape as near to the store that the existing system was measured with as our log allows: 200 executions
 * of about 5,000 messages and the same number of log lines, with 100 STFs, 300 samples and 1,500 slices
 * each; of 20 slices one has failed, one is in progress, and two are queued.
 */
export function existingSystem(executions = 200): Shape {
  const perExecution = 100;
  return {
    nextStfs: (made) => (made.executions >= executions ? undefined : perExecution),
    age: executions * 50 * 60,
    interval: 24,
    params: {
      fast_processing: { slices_per_sample: 5, target_worker_count: 20 },
      fastmon: { tf_samples_per_stf: 3 },
      worker: { max_retries: 0 },
    },
    fateOf: (_run, sequence, slice) => {
      const place = (sequence * 15 + slice) % 20;
      if (place === 0) return { failures: 1, last: 'nothing' };
      return { failures: 0, last: place === 1 ? 'begun' : place < 4 ? 'waits' : 'done' };
    },
    isOpen: (number) => number === executions - 1,
    chatter: (index) =>
      index % 1000 === 500 ? 'ERROR' : index % 50 === 7 ? 'WARNING' : index % 10 < 3 ? 'DEBUG' : 'INFO',
  };
}
