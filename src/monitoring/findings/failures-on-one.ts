import { countCauses } from '../../domain/causes.ts';
import { call, causesSentence, defineFinding, type Found, type SliceFacts } from './rule.ts';

/** Places that the sentence names. */
const named = 3;

export const failuresOnOne = defineFinding<SliceFacts>('FAILURES_ON_ONE', ({ execution_id, concentration }) => {
  if (concentration === undefined) return undefined;
  const { kind, places, failed, tried, failed_elsewhere, tried_elsewhere, errors } = concentration;
  const elsewhere =
    failed_elsewhere === 0
      ? `none of ${tried_elsewhere} elsewhere`
      : `${failed_elsewhere} of ${tried_elsewhere} elsewhere`;
  const others = places.length > named ? ` and ${places.length - named} more` : '';
  const where =
    places.length === 1
      ? `${kind} ${places[0]}`
      : `${places.length} ${kind}s, ${places.slice(0, named).join(', ')}${others}`;
  return {
    severity: 'error',
    sentence: `${failed} of ${tried} first attempts failed ${kind === 'slice number' || kind === 'STF file' ? 'at' : 'on'} ${where}, and ${elsewhere}: more than chance explains.`,
    causes: causesSentence(countCauses(errors)),
    ids: places.slice(0, named),
    next: nextOf(execution_id, kind),
  };
});

/** The call that shows the attempts by their places. */
function nextOf(execution_id: string, kind: NonNullable<SliceFacts['concentration']>['kind']): Found['next'] {
  const groups = { slot: 'worker', worker: 'worker', host: 'host', 'STF file': 'stf_filename' } as const;
  return kind === 'slice number'
    ? call('list_tf_slices', { execution_id, status: 'failed' })
    : call('summarize', { execution_id, what: 'slices', group_by: `${groups[kind]},status` });
}
