/** A path of this length or less stays as it is. */
const shortPath = 40;

/**
 * A sentence whose long paths are shortened to their last two parts: the reason behind them matters more than their folders.
 * URLs stay.
 */
export const shortPaths = (text: string): string =>
  text.replaceAll(/(?<![\w:/.])\/(?:[^\s/"':;,()]+\/)+[^\s/"':;,()]+/g, (path) =>
    path.length <= shortPath ? path : `…/${path.split('/').slice(-2).join('/')}`,
  );
