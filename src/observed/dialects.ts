interface Traits {
  /** A short name of the programs that use it. */
  programs: string;
  /**
   * Whether slices use different names for TF files than their announcements, so that only their numbers can
   * be compared.
   */
  renamesTfFiles?: true;
  /**
   * Whether it is the dialect of swf-mcp itself: its slices are on queues, which an observer cannot read, and
   * its execution may belong to this store.
   */
  isOurs?: true;
}

/**
 * The message formats of the testbed's programs, each with a letter that stores keep. `reading/dialects.ts`
 * says how each is read. A message belongs to the first that recognizes it, and H takes the rest, so a new
 * one goes before H.
 */
export const dialects = {
  S: { programs: 'swf-mcp', isOurs: true },
  F: { programs: 'newer fork', renamesTfFiles: true },
  H: { programs: 'public programs' },
} as const satisfies Readonly<Record<string, Traits>>;

export type DialectName = keyof typeof dialects;

/** The programs behind each letter. */
export const dialectsInWords = Object.entries(dialects)
  .map(([letter, { programs }]) => `${letter}: ${programs}`)
  .join(', ');

/** Whether all dialects of these letters, at least one, have a trait. */
export const areAll = (letters: string, trait: 'renamesTfFiles' | 'isOurs') =>
  letters !== '' &&
  Array.from(letters).every((letter) => (dialects as Readonly<Record<string, Traits>>)[letter]?.[trait] === true);
