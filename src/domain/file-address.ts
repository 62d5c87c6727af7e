/** Addresses of files on other hosts. A prefix covers everything below it. */

const schemes: ReadonlySet<string> = new Set(['http:', 'https:', 'root:', 'roots:', 'xroot:', 'xroots:']);

const parsed = (text: string) => (URL.canParse(text) ? new URL(text) : undefined);

/**
 * Whether a text is an address from which files can be fetched; it must not have a login, query or fragment.
 */
export function isFileAddress(text: string) {
  const url = parsed(text);
  if (url === undefined || !schemes.has(url.protocol) || url.host === '') return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

/**
 * Whether a URL names a file on another host rather than one in a local folder.
 */
export const isElsewhere = (fileUrl: string) => schemes.has(parsed(fileUrl)?.protocol ?? '');

/** Encoded characters that a server may decode to path separators. */
const hiddenSeparator = /%2f|%5c/i;

/** Whether a file's address is below a prefix. `..` is resolved first. */
export function isBelow(fileUrl: string, prefix: string) {
  const [file, top] = [parsed(fileUrl), parsed(prefix)];
  if (file === undefined || top === undefined || file.username !== '' || file.password !== '') return false;
  if (hiddenSeparator.test(file.pathname)) return false;
  const path = top.pathname.endsWith('/') ? top.pathname : `${top.pathname}/`;
  return file.protocol === top.protocol && file.host === top.host && file.pathname.startsWith(path);
}

/** The address, under `prefix`, of an execution's file. */
export const fileAddressOf = (prefix: string, executionId: string, filename: string) =>
  `${prefix.replace(/\/$/, '')}/${encodeURIComponent(executionId)}/${encodeURIComponent(filename)}`;

/** The `data.sources` entry that would allow a file to be fetched: its scheme, host and port. */
export function originOf(fileUrl: string) {
  const url = parsed(fileUrl);
  return url === undefined ? fileUrl : `${url.protocol}//${url.host}/`;
}
