/** A word that becomes part of an execution's or agent's id, and so of a folder's name. */
export const namePattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

/**
 * The id of an execution. It names a folder of data files, so it holds no separator and begins with no dot.
 */
export const executionIdPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** The name of a configuration that a request may give: never a path. */
export const configNamePattern = executionIdPattern;

/** The name of a data file, as received in a message. */
export const fileNamePattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** The default configuration of an execution. */
export const usualConfiguration = 'fast_processing_default';
