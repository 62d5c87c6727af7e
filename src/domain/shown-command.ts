/** A path by its last part: folders of a machine are nobody's business. */
const lastOf = (path: string): string => path.split('/').at(-1) ?? '';

/**
 * A payload command as it may be shown: its program by name, and how many arguments it has. An argument may hold a path, an address or a
 * password in any form, so none is shown; the mark of a setting tells whether two commands are the same.
 */
export function shownCommand([program = '', ...rest]: readonly string[]): string {
  const count = rest.length === 1 ? '1 argument' : `${rest.length} arguments`;
  return rest.length === 0 ? lastOf(program) : `${lastOf(program)} with ${count}`;
}

/** A text of a configuration as it may be shown: an absolute path by its last part. */
export const shownSetting = (value: unknown): string =>
  typeof value === 'string'
    ? value.startsWith('/')
      ? `…/${lastOf(value)}`
      : value
    : Array.isArray(value) && value.every((one) => typeof one === 'string')
      ? shownCommand(value)
      : (JSON.stringify(value) ?? '');
