import { SwfError } from '../lib/errors.ts';

/** A file of another host is unavailable now. Another agent may have it. */
export class NotFetched extends SwfError {
  constructor(url: string, why: string, todo: string, cause?: unknown) {
    super('DATA_UNAVAILABLE', `${url} cannot be fetched: ${why}; ${todo}`, { cause });
  }
}

/** The host answers but has no such file; its other files are available. */
export class NoSuchFile extends NotFetched {}

/** The meaning of a file server's answer, and how to fix it. */
export function refusalOf(url: string, status: number): NotFetched {
  switch (status) {
    case 401:
    case 403:
      return new NotFetched(
        url,
        `the server lets nobody in without its token (${status})`,
        'set SWF_FILES_TOKEN to it',
      );
    case 404:
    case 410:
      return new NoSuchFile(url, `it is not there (${status})`, 'check whether its host publishes the right folder');
    default:
      return new NotFetched(url, `the server answers ${status}`, 'look at its log');
  }
}

/** Whether the same request may be answered differently in a moment. */
export const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;
