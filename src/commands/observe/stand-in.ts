import type { Store } from '../../db/opening/store.ts';
import type { RestLine } from '../../observed/recording-lines.ts';
import { createStandIn } from '../../stand-in/app.ts';
import { requireToken } from '../serve/http-access.ts';
import { parseAddress, serveAt } from '../serve/listening.ts';
import type { Io } from '../shared/io.ts';

/**
 * A runner keeps an idle connection open for this many milliseconds. The server must not close it earlier,
 * since the runner does not retry a request that fails on it.
 */
const keepAliveMilliseconds = 76_000;

/**
 * Answers the testbed's programs in place of swf-monitor, until disposed. Throws `CONFIG_INVALID` if the
 * address cannot be used, or if others could write without a token. Use it with `await using`.
 * @param where `[HOST:]PORT`, as given
 */
export async function serveStandIn(io: Io, where: string, store: Store, onCall: (call: RestLine) => void) {
  const address = parseAddress(where, '--api');
  const given = `--api ${where}`;
  const token = requireToken(io, 'SWF_MONITOR_TOKEN', address.host, given);
  const app = createStandIn({ store, token, say: io.err, onCall });
  const served = await serveAt(app, address, given);
  served.server.keepAliveTimeout = keepAliveMilliseconds;
  io.err(`stands in for swf-monitor at ${served.root}`);
  return served;
}
