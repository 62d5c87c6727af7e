import { expect, it, onTestFinished } from 'vitest';

import type { BrokerConnection } from '../../src/broker/connection.ts';
import type { LogLine } from '../../src/lib/logger.ts';
import { createRemoteLog } from '../../src/remote/reports.ts';
import { pass, turns } from '../still-time.ts';
import { destinations, execution_id, line, namespace } from './line.ts';

/** The log of an agent: the lines for people, and those that the recorder receives. */
async function logging(connection?: Partial<BrokerConnection>) {
  const made = await line();
  const heard = made.overhear(destinations.telemetry);
  const people: LogLine[] = [];
  const log = createRemoteLog({
    broker: (connection ?? made.ours) as BrokerConnection,
    namespace,
    destination: destinations.telemetry,
    sender: 'data-1',
    since: 'the start',
    threshold: 'INFO',
    log: { write: (written) => void people.push(written) },
  });
  onTestFinished(() => made.broker.goDown());
  const info = (message: string): void => log.write({ level: 'INFO', message }, undefined);
  const lines = (): string[] => heard.flatMap(({ body }) => body['lines'].map((l: LogLine) => l.message));
  const counts = (): number[] => heard.map(({ body }) => body['lines'].length);
  return { ...made, heard, people, log, info, lines, counts };
}

it('log lines are written immediately, and sent in one numbered batch half a second later', async () => {
  const { log, heard, people } = await logging();
  log.write({ level: 'INFO', message: 'read', context: { sequence: 3 } }, execution_id);
  log.write({ level: 'DEBUG', message: 'for people alone' }, undefined);
  await pass(0.4, 0.1);
  log.warn('the disk is nearly full');
  expect([people.map(({ message }) => message), heard]).toEqual([
    ['read', 'for people alone', 'the disk is nearly full'],
    [],
  ]);
  expect(people[2]?.level).toBe('WARNING');
  await pass(0.1);
  expect(heard).toHaveLength(1);
  expect(heard[0]?.body).toEqual({
    msg_type: 'agent_log',
    sender: 'data-1',
    namespace,
    timestamp: '2026-01-01T00:00:00.500Z',
    since: 'the start',
    lines: [
      {
        n: 1,
        timestamp: '2026-01-01T00:00:00.000Z',
        level: 'INFO',
        message: 'read',
        context: { sequence: 3 },
        execution_id,
      },
      { n: 2, timestamp: '2026-01-01T00:00:00.400Z', level: 'WARNING', message: 'the disk is nearly full' },
    ],
  });
});

it('messages with warnings or errors are persistent, and others are not', async () => {
  const { log, info, heard } = await logging();
  info('harmless');
  await pass(1);
  log.warn('serious');
  info('harmless');
  await pass(1);
  log.write({ level: 'ERROR', message: 'more so' }, undefined);
  await pass(1);
  expect(heard.map(({ headers }) => headers['persistent'])).toEqual([undefined, 'true', 'true']);
});

it('lines are sent even if earlier lines are still waiting for a slow broker', async () => {
  const receipts: (() => void)[] = [];
  const sent: string[] = [];
  const send: BrokerConnection['send'] = ({ body }) => {
    sent.push(...(JSON.parse(body) as { lines: LogLine[] }).lines.map(({ message }) => message));
    return new Promise((resolve) => receipts.push(resolve));
  };
  const { info } = await logging({ isUp: () => true, onUp: () => {}, send });
  info('first');
  await pass(1);
  info('second');
  // Its half second ends while the first one is on its way.
  await pass(1);
  expect(sent).toEqual(['first']);
  receipts[0]?.();
  await pass(1);
  receipts[1]?.();
  await turns();
  info('third');
  await pass(1);
  expect(sent).toEqual(['first', 'second', 'third']);
});

it('many or long lines are sent in several messages, each once and in order, and overlong lines are cut', async () => {
  const { info, counts, lines, log } = await logging();
  for (let n = 1; n <= 250; n += 1) info(`line ${n}`);
  await pass(1);
  expect(counts()).toEqual([100, 100, 50]);
  expect(lines()).toEqual(Array.from({ length: 250 }, (_, at) => `line ${at + 1}`));
  for (let n = 0; n < 20; n += 1) info('x'.repeat(5000));
  await pass(1);
  expect(counts().slice(3)).toEqual([16, 4]);
  expect(new Set(lines().slice(250))).toEqual(new Set(['x'.repeat(4000)]));
  // A line that is too large by itself goes alone.
  for (let n = 0; n < 2; n += 1)
    log.write({ level: 'INFO', message: 'large', context: { text: 'y'.repeat(70_000) } }, undefined);
  await pass(1);
  expect(counts().slice(5)).toEqual([1, 1]);
});

it('lines are kept while the broker is away; beyond a thousand, INFO lines are dropped first and counted', async () => {
  const { broker, log, info, lines, heard } = await logging();
  broker.goDown();
  log.warn('first');
  for (let n = 1; n <= 1005; n += 1) info(`line ${n}`);
  await pass(5);
  expect(heard).toEqual([]);
  broker.comeUp();
  await turns(60);
  expect(lines()).toHaveLength(1000);
  expect(lines().slice(0, 2)).toEqual(['first', 'line 7']);
  expect(heard.map(({ body }) => body['dropped'])).toEqual([6, ...Array.from({ length: 9 }, () => undefined)]);
  info('afterwards');
  await pass(1);
  expect([lines().at(-1), heard.at(-1)?.body['dropped']]).toEqual(['afterwards', undefined]);
});

it('the oldest line is dropped if more than a thousand lines wait and all are warnings', async () => {
  const { broker, log, lines } = await logging();
  broker.goDown();
  for (let n = 1; n <= 1001; n += 1) log.warn(`warning ${n}`);
  broker.comeUp();
  await turns(60);
  expect([lines().length, lines()[0], lines().at(-1)]).toEqual([1000, 'warning 2', 'warning 1001']);
});

it('lines that could not be sent are sent later, together with those written in the meantime', async () => {
  const { broker, info, lines, heard } = await logging();
  broker.refuse(() => true);
  info('first');
  await pass(1);
  expect(heard).toEqual([]);
  broker.refuse(() => false);
  info('second');
  await pass(1);
  expect(lines()).toEqual(['first', 'second']);
  // A break in the middle of sending.
  info('third');
  await pass(0.4, 0.1);
  broker.goDown();
  await pass(1);
  broker.comeUp();
  await pass(1);
  expect(lines()).toEqual(['first', 'second', 'third']);
});

it('a line written while others are being sent is sent after them', async () => {
  const { info, lines, broker, counts } = await logging();
  let isFirst = true;
  broker.refuse(() => {
    if (isFirst) info('meanwhile');
    isFirst = false;
    return false;
  });
  info('first');
  await pass(0.5);
  expect(lines()).toEqual(['first', 'meanwhile']);
  await pass(2);
  expect(counts()).toEqual([1, 1]);
});

it('the last lines are sent when the agent ends, if the broker is reachable', async () => {
  const { log, info, lines, broker } = await logging();
  info('last');
  await log.close();
  await turns();
  expect(lines()).toEqual(['last']);
  broker.goDown();
  info('nobody hears it');
  await expect(log.close()).resolves.toBeUndefined();
  await pass(5);
  expect(lines()).toEqual(['last']);
});

it('one message is sent at a time, and closing the log waits for all of them', async () => {
  const bodies: string[] = [];
  const receipts: (() => void)[] = [];
  let comeUp = (): void => {};
  const { log, info } = await logging({
    isUp: () => true,
    onUp: (callback) => (comeUp = callback),
    send: ({ body }) => {
      bodies.push(body);
      return new Promise((resolve) => void receipts.push(resolve));
    },
  });
  info('first');
  await pass(1);
  info('second');
  comeUp();
  await pass(1);
  let isOver = false;
  void log.close().then(() => (isOver = true));
  await turns();
  expect([bodies.length, isOver]).toEqual([1, false]);
  receipts[0]?.();
  await turns();
  expect([bodies.length, isOver]).toEqual([2, false]);
  receipts[1]?.();
  await turns();
  expect(isOver).toBe(true);
  expect(bodies.map((body) => JSON.parse(body).lines.map((l: LogLine) => l.message))).toEqual([['first'], ['second']]);
});
