import type { Config } from '../../config/schema.ts';
import { refusalOf } from '../../files/http-reader.ts';
import { messageOf } from '../../lib/errors.ts';
import { attempt, type Diagnosis, fail, type Look, ok, warn } from './diagnosis.ts';

/** How long to wait for a file server's answer, in milliseconds. */
const patienceMilliseconds = 5000;

/** Checks the hosts that files are fetched from, a line each, by asking for a file that none has. */
export async function* lookAtSources({ data }: Config, token: string | undefined): AsyncGenerator<Look> {
  const { sources = [], fetch: command } = data;
  for (const source of sources)
    yield [
      'files',
      command !== undefined || !/^https?:/.test(source)
        ? warn(`${source} is fetched from by a command, which is not tried`)
        : await attempt(() => lookAtSource(source, token)),
    ];
}

async function lookAtSource(source: string, token: string | undefined): Promise<Diagnosis> {
  const url = `${source.replace(/\/$/, '')}/swf-mcp-doctor/none`;
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  let status: number;
  try {
    const signal = AbortSignal.timeout(patienceMilliseconds);
    ({ status } = await fetch(url, { method: 'HEAD', headers, signal, redirect: 'manual' }));
  } catch (error) {
    const why = messageOf((error as { cause?: unknown }).cause ?? error);
    return fail(`${source} does not answer (${why}); look whether its server runs there`);
  }
  // The file is missing, as it should be.
  if (status === 404) return ok(`${source} answers${token === undefined ? '' : ', and takes the token'}`);
  return fail(refusalOf(source, status).message);
}
