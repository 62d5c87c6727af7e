import { printable } from './printable.ts';

/** Escapes a foreign text so that it makes no Markdown or HTML: one line, no marks, not too long. */
export function markdownText(text: string, most = 160): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  const cut = line.length > most ? `${line.slice(0, most - 1)}…` : line;
  // An underscore within a word marks nothing.
  return printable(
    cut.replaceAll(/[\\`*{}[\]<>#|!~&$@]|:(?=\/\/)|(?<=\bwww)\.|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, String.raw`\$&`),
  );
}
