/** Words that name a secret, as options or variables do. */
const secretName = /pass(?:word|wd)?|token|secret|credential|api[-_]?key/i;

const mask = '***';

/** A path by its last part: folders of a machine are nobody's business. */
const withoutFolder = (word: string): string => word.replaceAll(/(^|[=:,])\/(?:[^/=:,\s]+\/)+/g, '$1…/');

/**
 * A payload command as it may be shown: its words, without the folders of absolute paths, and with the values of options masked whose names
 * speak of a secret.
 */
export function shownCommand(words: readonly string[]): string {
  return words
    .map((word, index) => {
      const before = words[index - 1] ?? '';
      if (before.startsWith('-') && !before.includes('=') && secretName.test(before)) return mask;
      const [name = '', ...value] = word.split('=');
      return withoutFolder(value.length > 0 && secretName.test(name) ? `${name}=${mask}` : word);
    })
    .map((word) => (/\s/.test(word) ? JSON.stringify(word) : word))
    .join(' ');
}

/** A text of a configuration as it may be shown. */
export const shownSetting = (value: unknown): string =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
    ? shownCommand(value)
    : typeof value === 'string'
      ? withoutFolder(value)
      : (JSON.stringify(value) ?? '');
