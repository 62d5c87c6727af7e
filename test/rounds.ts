const given = process.env['SWF_ROUNDS'];

/** The factor on the rounds of CI: `SWF_ROUNDS`, else a tenth outside CI, so that `npm test` takes minutes. */
export const roundsFactor = given === undefined ? (process.env['CI'] === 'true' ? 1 : 0.1) : Number(given);
if (!(roundsFactor > 0)) throw new Error(`SWF_ROUNDS=${given}: give a positive number, such as 1 or 10`);

/** How many rounds a test makes that tries random values, moments or kills. @param inCi in CI @param least on any machine */
export const rounds = (inCi: number, least = 1): number => Math.max(least, Math.round(inCi * roundsFactor));
