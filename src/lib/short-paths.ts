/** Shortens paths of more than `max` characters to their last two parts: the reason after them matters more than their folders. URLs stay. */
export const shortPaths = (text: string, max = 40): string =>
  text.replaceAll(/(?<![\w:/.])\/(?:[^\s/"':;,()]+\/)+[^\s/"':;,()]+/g, (path) =>
    path.length <= max ? path : `…/${path.split('/').slice(-2).join('/')}`,
  );
