interface Traits {
  /** Whose programs these are, in two or three words. */
  programs: string;
  /**
   * Whether slices give TF files other names than their announcements, so that only their numbers can be
   * compared.
   */
  renamesTfFiles?: true;
  /**
   * Whether swf-mcp itself words messages so: its slices are on queues, which an observer cannot read, and
   * its execution may belong to this store.
   */
  isOurs?: true;
}

/**
 * The wordings of programs of one make and time, each by one letter, which stores keep. `reading/dialects.ts`
 * has how each is read. The first that words a message as it is counts, and H words what no other does: a new
 * one stands before it.
 */
export const dialects = {
  S: { programs: 'swf-mcp', isOurs: true },
  F: { programs: 'newer fork', renamesTfFiles: true },
  H: { programs: 'public programs' },
} as const satisfies Readonly<Record<string, Traits>>;

export type DialectName = keyof typeof dialects;

/** Whose dialect each letter is. */
export const dialectsInWords = Object.entries(dialects)
  .map(([letter, { programs }]) => `${letter}: ${programs}`)
  .join(', ');

/** Whether all dialects of these letters, at least one, have a trait. */
export const areAll = (letters: string, trait: 'renamesTfFiles' | 'isOurs') =>
  letters !== '' &&
  Array.from(letters).every((letter) => (dialects as Readonly<Record<string, Traits>>)[letter]?.[trait] === true);
