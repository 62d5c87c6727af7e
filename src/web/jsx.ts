/**
 * Creates elements; the build inserts it into each file, since the shorter calls save a tenth of the page.
 */
export { Fragment, h } from 'preact';
