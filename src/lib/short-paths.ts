/** A path of this length or less stays as it is. */
const shortPath = 40;

/** Shortens long paths in a sentence to their last two parts: the reason after them matters more than their folders. URLs stay. */
export const shortPaths = (text: string): string =>
  text.replaceAll(/(?<![\w:/.])\/(?:[^\s/"':;,()]+\/)+[^\s/"':;,()]+/g, (path) =>
    path.length <= shortPath ? path : `…/${path.split('/').slice(-2).join('/')}`,
  );
