import { counted } from '../../lib/counted.ts';
import { call, defineDrivenFinding } from './rule.ts';

/** Files are usually answered much sooner. Seconds. */
export const unansweredSeconds = 60;

/** An agent is heard but does not answer: the messages to it may be lost, or it cannot do the work. */
export const unanswered = defineDrivenFinding('UNANSWERED', ({ evidence }) =>
  evidence.unanswered.map(({ role, files, first, since, off_duty }) => ({
    severity: off_duty === undefined ? ('warning' as const) : ('error' as const),
    sentence:
      off_duty === undefined
        ? `The ${role} agent is heard and has not answered ${counted(files, 'STF file')}, the first ${first} since ${since}; they are sent again after some minutes.`
        : `${off_duty.detail} (${off_duty.agent} on ${off_duty.hostname}). So the ${role} agent has not answered ${counted(files, 'STF file')}, the first ${first} since ${since}.`,
    ids: [first],
    about: role,
    next: call('list_agents', { agent_type: role }),
  })),
);
