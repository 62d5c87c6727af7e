import * as z from 'zod';

import { messageOf } from '../lib/errors.ts';

/**
 * The monitor's agents send a heartbeat at least every minute; an agent silent for longer than this, in
 * milliseconds, has ended.
 */
const livingMilliseconds = 300_000;

/** How long to wait for the monitor, in milliseconds. */
const patienceMilliseconds = 5000;

/** The rows of swf-monitor's `GET /api/systemagents/`, with only the fields that are read. */
const rows = z.array(
  z.object({
    instance_name: z.string(),
    namespace: z.string().nullish(),
    status: z.string().nullish(),
    operational_state: z.string().nullish(),
    last_heartbeat: z.string().nullish(),
  }),
);

/** The address and token of swf-monitor. */
export interface Monitor {
  url: string;
  token: string | undefined;
}

/**
 * A namespace's live agents according to swf-monitor, which also knows idle agents. Warns and returns none if
 * the request fails.
 */
export async function agentsOfMonitor({ url, token }: Monitor, namespace: string, say: (line: string) => void) {
  const destination = `${url.replace(/\/$/, '')}/api/systemagents/`;
  try {
    const response = await fetch(destination, {
      headers: token === undefined ? {} : { authorization: `Token ${token}` },
      signal: AbortSignal.timeout(patienceMilliseconds),
    });
    if (!response.ok) throw new Error(`it returned status ${response.status}`);
    return rows
      .parse(await response.json())
      .filter((row) => row.namespace === namespace && lives(row))
      .map(({ instance_name: name, operational_state, status }) => ({
        name,
        msg_type: operational_state ?? status ?? 'an agent',
        destination,
      }));
  } catch (error) {
    say(
      `WARNING SWF_MONITOR_URL: the list of agents in namespace ${namespace} cannot be read from ${destination}: ${messageOf(error)}`,
    );
    return [];
  }
}

const lives = ({ status, operational_state, last_heartbeat }: z.infer<typeof rows>[number]) =>
  status !== 'EXITED' &&
  operational_state !== 'EXITED' &&
  Date.now() - Date.parse(last_heartbeat ?? '') < livingMilliseconds;
