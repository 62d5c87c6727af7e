import { configInvalid } from '../../lib/errors.ts';
import type { Io } from './io.ts';

/** The page's address for links in texts, with a trailing slash; undefined if `SWF_PAGE_URL` is not set. Throws `CONFIG_INVALID` if it is invalid. */
export function pageUrl({ env }: Pick<Io, 'env'>): string | undefined {
  const { SWF_PAGE_URL: given = '' } = env;
  if (given === '') return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw configInvalid(
      'SWF_PAGE_URL is no address of the page; give http://HOST:PORT/ or https://HOST/PATH/, without a login in it',
    );
  const { origin, pathname } = url;
  return `${origin}${pathname.replace(/\/*$/, '/')}`;
}
