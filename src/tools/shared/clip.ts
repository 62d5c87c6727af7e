import { printable } from '../../lib/printable.ts';

/** The beginning of a text: at most `most` UTF-16 units, without splitting a character. */
export function clip(text: string, most: number) {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  const splits = last >= 0xd8_00 && last <= 0xdb_ff;
  return text.slice(0, splits ? most - 1 : most);
}

/** The beginning of a text, if any, in displayable form: characters that do more than show text are escaped. */
export const clipShown = <Text extends string | null | undefined>(text: Text, most: number) =>
  typeof text === 'string' ? clip(printable(clip(text, most)), most) : (text as Exclude<Text, string>);

/** Cuts a text so that it takes at most `most` characters when written as JSON. */
export function clipEscaped(text: string, most: number) {
  let kept = clip(text, most);
  // An escaped character takes at most six characters, so cutting a sixth of the excess never cuts too much,
  // and each round shrinks the excess by at least a sixth.
  for (let over = escapedLength(kept) - most; over > 0; over = escapedLength(kept) - most)
    kept = clip(kept, kept.length - Math.max(1, Math.ceil(over / 6)));
  return kept;
}

const escapedLength = (text: string) => JSON.stringify(text).length - 2;
