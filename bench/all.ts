import { printTable } from './figure.ts';
import { benchPayload } from './payload.ts';
import { benchPipeline } from './pipeline.ts';
import { benchServer } from './server.ts';

/** Every figure that needs no broker, in one table. */
const pipeline = await benchPipeline();
printTable([...(await benchServer(pipeline.store)), ...pipeline.figures, ...(await benchPayload())]);
