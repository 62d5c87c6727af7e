import type { Store } from '../../db/opening/store.ts';
import { isLoopback } from '../../http/callers.ts';
import { configInvalid } from '../../lib/errors.ts';
import { weaknessOf } from '../../lib/secrets.ts';
import type { RestLine } from '../../observed/recording-lines.ts';
import { createStandIn } from '../../stand-in/app.ts';
import { parseAddress, serveAt } from '../serve/listening.ts';
import type { Io } from '../shared/io.ts';

/** A runner keeps a connection this long, and does not retry on it. */
const keepAliveMilliseconds = 76_000;

/**
 * Answers programs of the testbed instead of swf-monitor until it is ended. Throws `CONFIG_INVALID` if the
 * address cannot be used, or if others could write without a token. Ended by `await using`.
 * @param where `[HOST:]PORT`, as it was given
 */
export async function serveStandIn(io: Io, where: string, store: Store, onCall: (call: RestLine) => void) {
  const address = parseAddress(where, '--api');
  const { SWF_MONITOR_TOKEN: token = '' } = io.env;
  if (token === '' && !isLoopback(address.host))
    throw configInvalid(
      `--api ${where}: other machines could write to it; set SWF_MONITOR_TOKEN, which their agents then need, or listen on 127.0.0.1`,
    );
  const weakness = token === '' || isLoopback(address.host) ? undefined : weaknessOf(token);
  if (weakness !== undefined) throw configInvalid(`--api ${where}: SWF_MONITOR_TOKEN ${weakness}`);
  const app = createStandIn({ store, token: token === '' ? undefined : token, say: (line) => io.err(line), onCall });
  const served = await serveAt(app, address, `--api ${where}`);
  served.server.keepAliveTimeout = keepAliveMilliseconds;
  io.err(`stands in for swf-monitor at ${served.root}`);
  return served;
}
