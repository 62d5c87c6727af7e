import { isBelow, originOf } from '../domain/file-address.ts';
import { pause } from '../lib/deadline.ts';
import { SwfError, messageOf } from '../lib/errors.ts';
import { present } from '../lib/present.ts';

/** A file from another host is unavailable now. Another agent may have it. */
export class NotFetched extends SwfError {
  constructor(url: string, why: string, todo: string, cause?: unknown) {
    super('DATA_UNAVAILABLE', `${url} cannot be fetched: ${why}; ${todo}`, { cause });
  }
}

/** The host answers but has no such file; its other files are available. */
export class NoSuchFile extends NotFetched {}

/** The error for a file server's answer: what the answer means and how to fix the problem. */
export function refusalOf(url: string, status: number) {
  switch (status) {
    case 401:
    case 403:
      return new NotFetched(url, `the server requires its token (${status})`, 'set SWF_FILES_TOKEN to it');
    case 404:
    case 410:
      return new NoSuchFile(url, `it was not found (${status})`, 'check whether its host publishes the right folder');
    default:
      return new NotFetched(url, `the server answered with status ${status}`, 'check its log');
  }
}

/** Whether the same request may succeed if it is repeated. */
const isPassing = (status: number) => status === 408 || status === 429 || status >= 500;

/** Where files may be fetched from, and the token that permits it. */
export interface FileSources {
  prefixes: readonly string[];
  /** Sent only to addresses that begin with one of the prefixes. */
  token: string | undefined;
}

/** How long a server may be silent before we give up, in milliseconds. */
const silentMilliseconds = 20_000;

/** How long to pause before each repeat of a request that delivered no new data, in milliseconds. */
const pauses = [500, 1000, 2000, 4000] as const;

const maxRedirects = 5;

/** Bytes of a file, from `start` to `end` (exclusive; by default, the end of the file). */
export interface ByteRange {
  start: number;
  end?: number | undefined;
}

/**
 * Reads a file from another host over HTTP. Continues where a broken connection ended. Throws
 * `DATA_UNAVAILABLE` after several attempts that read nothing, and for an address or a redirect outside the
 * sources.
 */
export async function* readByHttp(sources: FileSources, url: string, { start, end }: ByteRange, signal: AbortSignal) {
  let at = start;
  let etag: string | undefined;
  for (let fruitless = 0; ;) {
    const before = at;
    try {
      const opened = await open(sources, url, { range: { start: at, end }, etag, signal });
      if (etag !== undefined && opened.etag !== etag) throw changed(url);
      ({ etag } = opened);
      const most = end === undefined ? Infinity : end - at;
      for await (const chunk of cut(opened.body, opened.toSkip, most)) {
        at += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      if (error instanceof SwfError || signal.aborted) throw error;
      fruitless = at > before ? 0 : fruitless + 1;
      const wait = pauses[fruitless === 0 ? 0 : fruitless - 1];
      if (wait === undefined) throw unreachable(url, error);
      await pause(wait, [signal]);
    }
  }
}

/**
 * Cuts a body to the requested range: a server that does not support ranges starts at the beginning and sends
 * more than requested.
 */
async function* cut(body: AsyncIterable<Uint8Array>, toSkip: number, most: number) {
  let [skip, left] = [toSkip, most];
  for await (const chunk of body) {
    const piece = chunk.subarray(skip).subarray(0, left);
    skip = Math.max(0, skip - chunk.length);
    left -= piece.length;
    if (piece.length > 0) yield piece;
    if (left <= 0) return;
  }
}

/** Whether a file's host serves us at all, even if it does not have this file. */
export async function isReachable(sources: FileSources, url: string): Promise<boolean> {
  const over = new AbortController();
  try {
    await open(sources, url, { range: { start: 0, end: 1 }, etag: undefined, signal: over.signal });
    return true;
  } catch (error) {
    return error instanceof NoSuchFile;
  } finally {
    over.abort();
  }
}

async function open(
  sources: FileSources,
  url: string,
  { range, etag, signal }: { range: ByteRange; etag: string | undefined; signal: AbortSignal },
) {
  const { start, end } = range;
  const isWhole = start === 0 && end === undefined;
  const headers: Record<string, string> = present({
    authorization: sources.token === undefined ? null : `Bearer ${sources.token}`,
    range: isWhole ? null : `bytes=${start}-${end === undefined ? '' : end - 1}`,
    'if-range': etag === undefined || isWhole ? null : etag,
  });
  const silence = createSilence(signal);
  const response = await silence.during(follow(sources, url, headers, silence.signal));
  const { status } = response;
  if (isPassing(status)) throw new Error(`it returned status ${status}`);
  // The range begins where the file ends: nothing is left.
  if (status === 416) return { body: nothing(), etag, toSkip: 0 };
  if (status !== 200 && status !== 206) throw refusalOf(url, status);
  return {
    body: silence.watch(response.body),
    etag: strongTag(response.headers.get('etag')),
    toSkip: status === 206 ? 0 : start,
  };
}

/**
 * Follows redirects itself instead of leaving them to `fetch`, and only within the sources, since the token
 * must not be sent anywhere else.
 */
async function follow({ prefixes }: FileSources, url: string, headers: Record<string, string>, signal: AbortSignal) {
  let address = url;
  for (let turn = 0; turn <= maxRedirects; turn += 1) {
    if (!prefixes.some((prefix) => isBelow(address, prefix)))
      throw new NotFetched(
        url,
        `${address === url ? 'it' : `it redirects to ${address}, which`} is not in data.sources`,
        `add it: --set 'data.sources=${JSON.stringify([...prefixes, originOf(address)])}'`,
      );
    const response = await fetch(address, { headers, signal, redirect: 'manual' });
    const target = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || target === null) return response;
    await response.body?.cancel();
    address = new URL(target, address).href;
  }
  throw new NotFetched(url, `it redirects more than ${maxRedirects} times`, 'check its server');
}

/** Aborts a request whose server is silent for too long. */
function createSilence(stopped: AbortSignal) {
  const over = new AbortController();

  async function during<T>(step: Promise<T>) {
    const end = () => over.abort(new Error(`it sent nothing for ${silentMilliseconds / 1000} s`));
    const timer = setTimeout(end, silentMilliseconds);
    return step.finally(() => clearTimeout(timer));
  }

  return {
    signal: AbortSignal.any([stopped, over.signal]),
    during,
    async *watch(body: ReadableStream<Uint8Array> | null) {
      const reader = body?.getReader();
      try {
        for (;;) {
          const next = await during(reader?.read() ?? Promise.resolve({ done: true, value: undefined } as const));
          if (next.done) return;
          yield next.value;
        }
      } finally {
        // The rest of the body is not needed.
        await reader?.cancel().catch(() => {});
      }
    },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** A weak tag does not prove that bytes are the same. */
const strongTag = (tag: string | null) => (tag === null || tag.startsWith('W/') ? undefined : tag);

const changed = (url: string) =>
  new NotFetched(url, 'it changed while it was being read', 'check what writes it: data files must not change');

export function unreachable(url: string, error: unknown) {
  const { cause } = error as { cause?: unknown };
  const why = messageOf(cause ?? error);
  return new NotFetched(
    url,
    `its server cannot be reached (${why})`,
    'check whether it is running and whether the network lets the request through',
    error,
  );
}
