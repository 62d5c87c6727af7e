import { counted } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { downSeconds, driverGaps } from '../driver-gaps.ts';
import { call, defineFinding } from './rule.ts';

/** Another process took it over, to go on or to end it, after the previous one was gone. */
export const takenUp = defineFinding('TAKEN_UP', ({ evidence: { execution_id, drivers, begun_again } }) => {
  const gaps = driverGaps(drivers);
  const last = gaps.at(-1);
  if (last === undefined) return undefined;
  const again = begun_again === 0 ? '' : ` ${counted(begun_again, 'slice')} had to be started again.`;
  // The first driver is the start itself.
  const times = (drivers.at(-1)?.epoch ?? 1) - 1;
  return {
    severity: 'info',
    sentence: `It was taken over ${times === 1 ? 'once' : `${times} times`}, last by ${last.by} at ${last.to}, after ${times > gaps.length ? 'at least ' : ''}${roundDuration(downSeconds(gaps))} without a driver.${again}`,
    next: call('list_messages', { execution_id, message_type: 'driver_started' }),
  };
});
