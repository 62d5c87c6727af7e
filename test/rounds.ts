/** Times as many as in CI. A tenth on other machines, so that `npm test` takes minutes there. */
const factor = Number(process.env['SWF_ROUNDS'] ?? (process.env['CI'] === 'true' ? 1 : 0.1));

/** How many rounds a test makes that repeats itself with other random values, moments or kills. `SWF_ROUNDS=10` makes ten times as many as CI. */
export const rounds = (inCi: number): number => Math.max(1, Math.round(inCi * factor));

/** Milliseconds for a test of many rounds. */
export const patience = (inCi: number): number => inCi * Math.max(1, factor);
