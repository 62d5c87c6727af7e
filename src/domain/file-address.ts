/** Addresses of files on other hosts. A prefix covers everything below it. */

const schemes: ReadonlySet<string> = new Set(['http:', 'https:', 'root:', 'roots:', 'xroot:', 'xroots:']);

const parsed = (text: string) => (URL.canParse(text) ? new URL(text) : undefined);

/** Whether a text is an address that files can be fetched from: without login, query and fragment. */
export function isFileAddress(text: string): boolean {
  const url = parsed(text);
  if (url === undefined || !schemes.has(url.protocol) || url.host === '') return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

/** Whether a URL names a file on another host, not a path in a folder known by its marker. */
export const isElsewhere = (fileUrl: string) => schemes.has(parsed(fileUrl)?.protocol ?? '');

/** A server may decode these to separators behind our back. */
const hiddenSeparator = /%2f|%5c/i;

/** Whether a file's address is below a prefix. `..` is resolved first. */
export function isBelow(fileUrl: string, prefix: string): boolean {
  const [file, top] = [parsed(fileUrl), parsed(prefix)];
  if (file === undefined || top === undefined || file.username !== '' || file.password !== '') return false;
  if (hiddenSeparator.test(file.pathname)) return false;
  const path = top.pathname.endsWith('/') ? top.pathname : `${top.pathname}/`;
  return file.protocol === top.protocol && file.host === top.host && file.pathname.startsWith(path);
}

/** The address of a file of an execution below the address of its folder. */
export const fileAddressOf = (prefix: string, executionId: string, filename: string) =>
  `${prefix.replace(/\/$/, '')}/${encodeURIComponent(executionId)}/${encodeURIComponent(filename)}`;

/** The source that would allow fetching a file: its scheme, host and port. */
export function originOf(fileUrl: string): string {
  const url = parsed(fileUrl);
  return url === undefined ? fileUrl : `${url.protocol}//${url.host}/`;
}
