import { recordHeard } from '../../db/observed/heard-messages.ts';
import { restLine } from '../../observed/told/rest-call.ts';
import type { Call } from './call.ts';

/** Records episodes of the newest testbed, and does nothing else with them. */
const episode = (verb: string): Call => ({
  method: 'POST',
  path: `snapper/episodes/${verb}`,
  answer(tx, { body, at }) {
    recordHeard(tx, restLine(at, 'POST', `/api/snapper/episodes/${verb}/`, {}, body));
    return { status: 200, body: { status: 'success', ...body } };
  },
});

export const episodes: readonly Call[] = ['open', 'append', 'close'].map(episode);
