import { countCauses } from '../../domain/causes.ts';
import type { Concentration } from '../concentration.ts';
import { causesSentence, defineFinding, type Finding } from './rule.ts';

const groupOf = { slot: 'worker', worker: 'worker', host: 'host', 'STF file': 'stf_filename' } as const;

/** The finding about a place where slices fail, of an own execution or an observed one. */
export function failuresOnOneFinding(
  execution_id: string,
  { kind, place, failed, tried, failed_elsewhere, tried_elsewhere, errors }: Concentration,
): Omit<Finding, 'code'> {
  const elsewhere =
    failed_elsewhere === 0
      ? `none of ${tried_elsewhere} elsewhere`
      : `${failed_elsewhere} of ${tried_elsewhere} elsewhere`;
  return {
    severity: 'error',
    sentence: `${failed} of ${tried} TF slices failed on ${kind} ${place}, and ${elsewhere}: that is no chance.${causesSentence(countCauses(errors))}`,
    ids: [place],
    next: {
      tool: 'summarize',
      arguments: { execution_id, what: 'slices', group_by: `${groupOf[kind]},status` },
    },
  };
}

export const failuresOnOne = defineFinding('FAILURES_ON_ONE', ({ evidence: { execution_id, concentration } }) =>
  concentration === undefined ? undefined : failuresOnOneFinding(execution_id, concentration),
);
