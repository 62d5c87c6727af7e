import { judgeCosts, measureCosts, updateUsual } from './costs.ts';
import { isFarOff, printTable } from './figure.ts';
import { benchGrowth } from './growth.ts';
import { benchPipeline } from './pipeline.ts';
import { benchServer } from './server.ts';

/**
 * The benchmark in a minute. Fails if a ratio of times is three times worse than usual, which a busy
 * machine does not explain, or if a cost that does not depend on the machine is 5 % higher.
 */
const costs = await measureCosts();
if (process.argv[2] === '--update') updateUsual(costs);
const isCheap = judgeCosts(costs);

const pipeline = await benchPipeline({ stfs: 300, rounds: 1 });
const figures = [
  ...(await benchServer(pipeline.store, { coldRounds: 5, warmCalls: 100 })),
  ...pipeline.figures,
  ...(await benchGrowth(100_000, 0.5)),
];
printTable(figures);
const off = figures.filter(isFarOff);
for (const { figure, usual } of off)
  console.error(`${figure}: the ratio is mostly ${usual}, and three times worse now`);
process.exitCode = isCheap && off.length === 0 ? 0 : 1;
