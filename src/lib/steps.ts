/** Long work in steps of some milliseconds, so that others are served in between. Returns its result. */
export type Steps<T> = Generator<void, T, void>;
