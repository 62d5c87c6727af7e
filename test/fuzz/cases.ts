/** Cases that are tried: `npm run proof` asks for many more than a test run has time for. */
export const cases = (usual: number): number => Number(process.env['SWF_FUZZ_CASES'] ?? usual);

/** Milliseconds for a test of many cases. */
export const patience = (usual: number): number => (process.env['SWF_FUZZ_CASES'] === undefined ? usual : 7_200_000);
