import { duration } from '../../lib/duration.ts';

/** The duration of an execution, or the time since its driver was last heard. */
export const tookOf = ({
  duration_seconds,
  silent_seconds: silent,
}: {
  duration_seconds: number;
  silent_seconds?: number | undefined;
}): string => (silent === undefined ? duration(duration_seconds) : `silent for ${duration(silent)}`);
