import { defineFinding, logLines } from './rule.ts';

export const slicesRetried = defineFinding('SLICES_RETRIED', ({ facts: { slice_retries }, evidence }) => {
  // Where slices stay failed, another finding tells it.
  if (slice_retries === 0 || evidence.exhausted_count > 0) return undefined;
  return {
    severity: 'info',
    sentence: `${slice_retries} attempts at slices failed and were tried again; none has stayed failed.`,
    ids: [],
    next: logLines(evidence.execution_id, { level: 'WARNING' }),
  };
});
