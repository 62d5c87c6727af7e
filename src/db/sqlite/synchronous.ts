/** `FULL` waits for the disk at every commit, so that a power cut loses nothing; `NORMAL` may lose the last moments. */
export const synchronousModes = ['NORMAL', 'FULL'] as const;

export type Synchronous = (typeof synchronousModes)[number];
