import { roundDuration } from '../../lib/duration.ts';
import { call, defineDrivenFinding } from './rule.ts';

/** A role that is behind for a shorter time is merely busy. Seconds. */
const worthAWord = 60;

export const readerBehind = defineDrivenFinding('READER_BEHIND', ({ facts, evidence: { execution_id, behind } }) =>
  behind
    .map((one) => ({ ...one, seconds: Math.round((facts.now - Date.parse(one.since)) / 1000) }))
    .filter(({ seconds }) => seconds > worthAWord)
    .map(({ role, rows, since, seconds }) => ({
      severity: 'warning',
      sentence: `The ${role} agent is ${rows.toLocaleString('en')} messages and more behind: it has not read those since ${since}, ${roundDuration(seconds)} ago.`,
      ids: [role],
      about: role,
      next: call('list_agents', { execution_id }),
    })),
);
