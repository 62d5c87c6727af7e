import { agentsOf, defineFinding } from './rule.ts';

/** Clocks that agree better are told as one (contract §1), in seconds. */
const tolerated = 2;

/** The store has a row of the future: the clock of this host was set back, or that of a host that writes here is ahead. */
export const clockOff = defineFinding('CLOCK_OFF', ({ facts: { now }, evidence: { data_as_of, execution_id } }) => {
  const ahead = data_as_of === undefined ? 0 : (Date.parse(data_as_of) - now) / 1000;
  if (ahead <= tolerated) return undefined;
  return {
    severity: 'warning',
    sentence: `The newest row of the store is of ${data_as_of}, ${Math.round(ahead)} s later than the clock here: a clock was set back, or is off. Ages and time windows may be wrong; the order of rows is right.`,
    ids: [],
    next: agentsOf(execution_id),
  };
});
