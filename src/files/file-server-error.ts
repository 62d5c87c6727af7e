import { SwfError } from '../lib/errors.ts';

/** `DATA_UNAVAILABLE` about a file on another host, with what to do. */
export const notFetched = (url: string, why: string, todo: string, cause?: unknown): SwfError =>
  new SwfError('DATA_UNAVAILABLE', `${url} cannot be fetched: ${why}; ${todo}`, { cause });

/** The meaning of an answer of a file server, and how to mend it. */
export function refusalOf(url: string, status: number): SwfError {
  switch (status) {
    case 401:
    case 403:
      return notFetched(url, `the server lets nobody in without its token (${status})`, 'set SWF_FILES_TOKEN to it');
    case 404:
    case 410:
      return notFetched(url, `it is not there (${status})`, 'look whether its host publishes the right folder');
    default:
      return notFetched(url, `the server answers ${status}`, 'look at its log');
  }
}

/** Whether the same request may be answered otherwise in a moment. */
export const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;
