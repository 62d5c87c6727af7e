import { recordHeard } from '../../db/observed/heard-messages.ts';
import { keepValue } from '../../observed/body.ts';
import type { Call } from './call.ts';

/** Episodes of the newest testbed are recorded, and nothing is done with them. */
const episode = (verb: string): Call => ({
  method: 'POST',
  path: `snapper/episodes/${verb}`,
  answer(tx, { body, at }) {
    recordHeard(tx, { t: at, destination: `POST /api/snapper/episodes/${verb}/`, headers: {}, ...keepValue(body) });
    return { status: 200, body: { status: 'success', ...body } };
  },
});

export const episodes: readonly Call[] = ['open', 'append', 'close'].map(episode);
