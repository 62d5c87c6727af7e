/**
 * Shortens long paths in a sentence to their last two parts: the reason after them matters more than their folders. URLs stay.
 * @param max a path of this length or less stays as it is
 */
export const shortPaths = (text: string, max = 40): string =>
  text.replaceAll(/(?<![\w:/.])\/(?:[^\s/"':;,()]+\/)+[^\s/"':;,()]+/g, (path) =>
    path.length <= max ? path : `…/${path.split('/').slice(-2).join('/')}`,
  );
