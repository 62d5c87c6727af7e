import { downSeconds, driverGaps } from '../driver-gaps.ts';
import { defineFinding } from './rule.ts';

/** Another process resumed it after the previous one was gone. */
export const takenUp = defineFinding('TAKEN_UP', ({ evidence: { execution_id, drivers, begun_again } }) => {
  const gaps = driverGaps(drivers);
  const last = gaps.at(-1);
  if (last === undefined) return undefined;
  const again = begun_again === 0 ? '' : ` ${begun_again} starts of slices were made again.`;
  return {
    severity: 'info',
    sentence: `It was taken up ${gaps.length === 1 ? 'once' : `${gaps.length} times`}, last by ${last.by} at ${last.to}; nobody drove it for ${Math.round(downSeconds(gaps))} s.${again}`,
    ids: [],
    next: { tool: 'list_messages', arguments: { execution_id, message_type: 'driver_started' } },
  };
});
