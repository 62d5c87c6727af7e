/**
 * Set by `scripts/build.js`: true in the page of a server, false within a chat and in a report, which have
 * neither a wall nor alarms.
 */
declare const isServed: boolean;
