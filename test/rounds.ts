const given = process.env['SWF_ROUNDS'];

/** The factor on the rounds of the long proof: `SWF_ROUNDS`, else a tenth. */
export const roundsFactor = given === undefined ? 0.1 : Number(given);
if (!(roundsFactor > 0)) throw new Error(`SWF_ROUNDS=${given}: give a positive number, such as 1 or 10`);

/** How many rounds a test makes that tries random values, moments or kills. @param long in the long proof @param least always */
export const rounds = (long: number, least = 1): number => Math.max(least, Math.round(long * roundsFactor));
