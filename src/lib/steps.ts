/** Work that takes its time, in steps of some milliseconds: between them others are served. Returns what it has found. */
export type Steps<T> = Generator<void, T, void>;
