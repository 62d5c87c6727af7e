import { toldRunning } from '../../db/observed/executions.ts';
import { inTime, pause } from '../../lib/deadline.ts';
import { configInvalid } from '../../lib/errors.ts';
import { httpUrl } from '../../lib/secrets.ts';
import { createMonitorReader } from '../../observer/monitor-reader.ts';
import type { Io } from '../shared/io.ts';
import type { Places } from './places.ts';

/**
 * How long an answer may take, in milliseconds, and how large it may be, in bytes: one answer contains a whole run.
 */
const patienceMilliseconds = 30_000;
const maxBytes = 64 * 1024 * 1024;

/**
 * Reads swf-monitor until the signal is aborted, and records what the monitor knows about runs in progress.
 * Throws `CONFIG_INVALID` if the URL is invalid.
 */
export function readMonitor(io: Io, url: string, namespaces: readonly string[], places: Places, signal: AbortSignal) {
  const root = rootOf(url);
  const { SWF_MONITOR_TOKEN: token = '' } = io.env;
  const reader = createMonitorReader({
    get: (path) => inTime(patienceMilliseconds, signal, (ending) => get(`${root}/api/${path}`, token, ending)),
    namespaces,
    take: (line) => places.add(line, new Date().toISOString()),
    known: places.store === undefined ? [] : toldRunning(places.store.store.sql),
    onRead: (run, at) => void places.store?.writer.noteRead(run, at),
    say: io.err,
  });
  io.err(`reads swf-monitor at ${root}`);
  const ended = reader.read(signal, (milliseconds) => pause(milliseconds, [signal]));
  // `isHearing`: whether the monitor answers. `ended`: settles when reading has ended.
  return { isHearing: reader.isHearing, ended };
}

function rootOf(url: string) {
  if (httpUrl(url) === undefined)
    throw configInvalid(
      '--monitor-url is not a swf-monitor address; give http://HOST/swf-monitor or https://…, without a login, and put its token into SWF_MONITOR_TOKEN',
    );
  return url.replace(/\/+$/, '').replace(/\/api$/, '');
}

async function get(url: string, token: string, signal: AbortSignal) {
  const response = await fetch(url, {
    headers: { accept: 'application/json', ...(token === '' ? {} : { authorization: `Token ${token}` }) },
    signal,
    // The token goes only to the monitor.
    redirect: 'error',
  });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return JSON.parse(await textOf(response)) as unknown;
}

/** The text of an answer. Throws as soon as it is too large, whatever its header says. */
async function textOf(response: Response) {
  const parts = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += (part as Uint8Array).length;
    if (size > maxBytes) throw new Error(`it returned more than ${maxBytes} bytes`);
    parts.push(part as Uint8Array);
  }
  return Buffer.concat(parts).toString('utf8');
}
