import { duration } from '../../lib/duration.ts';

/** How long an execution took, or for how long nobody has driven it. */
export const tookOf = ({
  duration_seconds,
  silent_seconds: silent,
}: {
  duration_seconds: number;
  silent_seconds?: number | undefined;
}): string => (silent === undefined ? duration(duration_seconds) : `silent for ${duration(silent)}`);
