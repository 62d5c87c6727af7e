interface Traits {
  /** A short name for the programs that use this dialect. */
  programs: string;
  /**
   * Whether slices and announcements name TF files differently, so that only the counts can be compared.
   */
  renamesTfFiles?: true;
  /**
   * Whether this is the dialect of swf-mcp itself: its slices are sent to queues, which an observer cannot
   * read, and its executions may belong to this store.
   */
  isOurs?: true;
}

/**
 * The message formats of the testbed's programs, each with the letter that denotes it in stores.
 * `reading/dialects.ts` defines how each format is read. A message belongs to the first dialect that recognizes
 * it, and H takes the rest, so add a new dialect before H.
 */
export const dialects = {
  S: { programs: 'swf-mcp', isOurs: true },
  F: { programs: 'newer fork', renamesTfFiles: true },
  H: { programs: 'public programs' },
} as const satisfies Readonly<Record<string, Traits>>;

export type DialectName = keyof typeof dialects;

/** The dialects' letters, each with its programs, in words. */
export const dialectsInWords = Object.entries(dialects)
  .map(([letter, { programs }]) => `${letter}: ${programs}`)
  .join(', ');

/** Whether there is at least one letter and all of the letters' dialects have the trait. */
export const areAll = (letters: string, trait: 'renamesTfFiles' | 'isOurs') =>
  letters !== '' &&
  Array.from(letters).every((letter) => (dialects as Readonly<Record<string, Traits>>)[letter]?.[trait] === true);
