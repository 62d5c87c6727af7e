/** A path's last part: a machine's folders are private. */
const lastOf = (path: string): string => path.split('/').at(-1) ?? '';

/**
 * A payload command that is safe to show: its program's name and its number of arguments. An argument may hold a path, an address or a password in
 * any form, so none is shown; the setting's mark shows whether two commands are the same.
 */
export function shownCommand([program = '', ...rest]: readonly string[]): string {
  const count = rest.length === 1 ? '1 argument' : `${rest.length} arguments`;
  return rest.length === 0 ? lastOf(program) : `${lastOf(program)} with ${count}`;
}

/** A configuration value that is safe to show: an absolute path as its last part. */
export const shownSetting = (value: unknown): string =>
  typeof value === 'string'
    ? value.startsWith('/')
      ? `…/${lastOf(value)}`
      : value
    : Array.isArray(value) && value.every((one) => typeof one === 'string')
      ? shownCommand(value)
      : (JSON.stringify(value) ?? '');
