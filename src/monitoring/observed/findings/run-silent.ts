import { roundDuration } from '../../../lib/duration.ts';
import { call } from '../../findings/rule.ts';
import { secondsSince } from '../facts.ts';
import { isSilent } from '../health.ts';
import { defineObserved, timeOf } from './rule.ts';

export const runSilent = defineObserved('RUN_SILENT', (facts) =>
  isSilent(facts)
    ? {
        severity: 'error',
        sentence: `Nothing was heard of the run for ${roundDuration(secondsSince(facts, facts.last_message))}, since ${timeOf(facts.last_message)}, and its end was not said: it was stopped, which the bus does not tell, or its runner is gone.`,
        next: call('list_messages', { execution_id: facts.execution_id, limit: 5 }),
      }
    : undefined,
);
