/** A word that becomes part of an execution's or agent's id, and so of a folder name. */
export const namePattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

/**
 * The id of an execution. It names a folder of data files, so it contains no separator and does not begin
 * with a dot.
 */
export const executionIdPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** The name of a configuration in a request: never a path. */
export const configNamePattern = executionIdPattern;

/** The name of a data file, as received in a message. */
export const fileNamePattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** The configuration of an execution whose request does not name one. */
export const usualConfiguration = 'fast_processing_default';
