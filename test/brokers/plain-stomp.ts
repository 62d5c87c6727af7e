import { once } from 'node:events';
import { connect } from 'node:net';

import type { Broker } from './broker.ts';

const frame = (command: string, headers: Record<string, string>, body = ''): string =>
  `${command}\n${Object.entries(headers)
    .map(([name, value]) => `${name}:${value.replaceAll(':', String.raw`\c`)}\n`)
    .join('')}\n${body}\0`;

/** A foreign program: like those of the testbed, its frames do not say whether a destination is a queue or a topic. */
export async function plainStomp(broker: Broker) {
  const socket = connect(broker.port, '127.0.0.1').setEncoding('utf8');
  const listeners = new Set<(command: string, text: string) => void>();
  let rest = '';
  socket.on('data', (text: string) => {
    const frames = `${rest}${text}`.split('\0');
    rest = frames.pop() ?? '';
    for (const each of frames.map((one) => one.trimStart()))
      for (const listener of listeners) listener(each.split('\n', 1)[0] ?? '', each);
  });
  const answered = (expected: string, text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const listener = (command: string, answer: string): void => {
        if (command !== 'ERROR' && (command !== expected || !answer.includes(text))) return;
        listeners.delete(listener);
        if (command === 'ERROR') reject(new Error(answer));
        else resolve();
      };
      listeners.add(listener);
    });
  let receipts = 0;
  const ask = async (command: string, headers: Record<string, string>, body = ''): Promise<void> => {
    receipts += 1;
    const receipt = `receipt-${receipts}.`;
    const done = answered('RECEIPT', receipt);
    socket.write(frame(command, { ...headers, receipt }, body));
    await done;
  };
  const connected = answered('CONNECTED', '');
  const { user: login, password: passcode } = broker;
  socket.write(frame('CONNECT', { 'accept-version': '1.2', host: '/', login, passcode }));
  await connected;
  return {
    /** Resolves when the broker has it. */
    send: (destination: string, body: string): Promise<void> => ask('SEND', { destination }, body),
    /** Consumes the present and future messages of a queue. */
    take(destination: string, onMessage: () => void): Promise<void> {
      listeners.add((command) => void (command === 'MESSAGE' && onMessage()));
      return ask('SUBSCRIBE', { destination, id: 'plain', ack: 'auto' });
    },
    async close(): Promise<void> {
      const closed = once(socket, 'close');
      socket.end(frame('DISCONNECT', {}));
      await closed;
    },
  };
}
