import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

import { onTestFinished } from 'vitest';

/** Milliseconds by which each piece is delayed, each way; the percentage of reads that stall, and for how long. */
const late = 200;
const stallPercent = 5;
const stall = 1000;

/** A connection is cut after this many milliseconds. */
const cutAfter = 8000;

interface BadLine {
  url: string;
  cuts: () => number;
  stalls: () => number;
}

/** A line to a server that is slow both ways, stalls now and then, and breaks again and again. Ends with the test. */
export async function startBadLine(address: string, target: URL): Promise<BadLine> {
  let [cuts, stalls] = [0, 0];
  // The same at each run: every twentieth read.
  let reads = 0;
  const pass = (from: Socket, to: Socket): void => {
    let at = 0;
    from.on('data', (chunk: Buffer) => {
      reads += 1;
      const isStall = reads % (100 / stallPercent) === 0;
      if (isStall) stalls += 1;
      // In order, though some are delayed more than others.
      at = Math.max(at, performance.now() + late + (isStall ? stall : 0));
      setTimeout(() => to.writable && to.write(chunk), at - performance.now());
    });
    from.on('error', () => {}).on('close', () => setTimeout(() => to.destroy(), late));
  };
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    pass(client, upstream);
    pass(upstream, client);
    const timer = setTimeout(() => {
      cuts += 1;
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }, cutAfter);
    client.on('close', () => clearTimeout(timer));
  }).listen(0, address);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { url: `stomp://${address}:${port}`, cuts: () => cuts, stalls: () => stalls };
}
