import { benchExistingSystem } from './existing-system.ts';
import { printTable } from './figure.ts';
import { benchGrowth } from './growth.ts';
import { benchPayload } from './payload.ts';
import { benchPipeline } from './pipeline.ts';
import { benchServer } from './server.ts';

/**
 * Prints every figure that needs no broker, in one table: npm run bench [-- MESSAGES], where MESSAGES is
 * the size of the large store (default: a million).
 */
const pipeline = await benchPipeline();
printTable([
  ...(await benchServer(pipeline.store)),
  ...pipeline.figures,
  ...(await benchPayload()),
  ...(await benchGrowth(Number(process.argv[2] ?? 1_000_000))),
  ...(await benchExistingSystem()),
]);
