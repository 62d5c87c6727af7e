import { roundDuration } from '../../lib/duration.ts';
import { call, defineFinding, type SliceFacts } from './rule.ts';

/** Slots that the sentence names. */
const named = 3;

export const slotSlow = defineFinding<SliceFacts>('SLOT_SLOW', ({ execution_id, slow_slots }) => {
  if (slow_slots === undefined) return undefined;
  const { slots, others_seconds } = slow_slots;
  const shown = slots
    .slice(0, named)
    .map(({ slot, seconds, slices }) => `${slot} (${roundDuration(seconds)}, ${slices} slices)`);
  const more = slots.length > named ? `, and on ${slots.length - named} more` : '';
  const kind = slots[0]?.slot.includes('/') === true ? 'slot' : 'worker';
  return {
    severity: 'warning',
    sentence: `TF slices take much longer on ${slots.length === 1 ? kind : `${slots.length} ${kind}s:`} ${shown.join(', ')}${more}; ${roundDuration(others_seconds)} is usual on the others.`,
    ids: slots.slice(0, named).map(({ slot }) => slot),
    next: call('summarize', { execution_id, what: 'slices', group_by: 'worker', order_by: 'seconds' }),
  };
});

export const slicesSlower = defineFinding<SliceFacts>(
  'SLICES_SLOWER',
  ({ execution_id, slower }) =>
    slower && {
      severity: 'warning',
      sentence: `TF slices take longer and longer: ${roundDuration(slower.first_seconds)} was usual in the first third, ${roundDuration(slower.last_seconds)} in the last.`,
      next: call('get_execution_timeline', { execution_id }),
    },
);
