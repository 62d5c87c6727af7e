/**
 * Set by `scripts/build.js`: true in a server's page, false in a chat and in a report, which have neither a
 * wall nor alarms.
 */
declare const isServed: boolean;
