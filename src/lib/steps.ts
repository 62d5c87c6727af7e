/** Does long work in steps of a few milliseconds, so that other work gets its turn in between. Returns the result. */
export type Steps<T> = Generator<void, T, void>;
