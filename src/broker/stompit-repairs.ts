import stompit, { type Client, type Frame } from 'stompit';

/** stompit 1.0.0 has bugs that crash the process. This file fixes those beyond one connection's code, each with its reason. */

export interface ErrorFrame {
  /** Its header, and the first line of its body if that says more: some brokers give the reason only there. */
  sentence: string;
  /** Our frame that it answers. */
  receiptId: string | undefined;
}

/** How much of an ERROR frame's body to read. */
const maxErrorText = 4096;
/** How much of it to show: a stack trace is of no use to an operator. */
const maxErrorLine = 300;

/**
 * stompit's ERROR handler calls a method that frames do not have, which crashes the process (RabbitMQ and Artemis send ERROR for a wrong password).
 * stompit installs handlers twice, always through this method.
 */
export function replaceHandlers(
  client: Client,
  { onServer, onError }: { onServer: (server: string | undefined) => void; onError: (frame: ErrorFrame) => void },
): void {
  const install = client.setCommandHandlers.bind(client);
  client.setCommandHandlers = (handlers) => {
    const { CONNECTED: connected } = handlers;
    install({
      ...handlers,
      ...(connected === undefined
        ? {}
        : {
            CONNECTED(frame, beforeSendResponse) {
              onServer(frame.headers['server']);
              connected.call(client, frame, beforeSendResponse);
            },
          }),
      ERROR: (frame) => readError(frame, onError),
    });
  };
}

function readError(frame: Frame, onError: (frame: ErrorFrame) => void): void {
  let text = '';
  frame.on('error', () => {});
  frame.on('data', (chunk: Buffer) => {
    if (text.length < maxErrorText) text += chunk.toString('utf8');
  });
  frame.on('end', () => {
    const header = frame.headers['message'] ?? 'ERROR';
    const line = (text.split('\n')[0] ?? '').trim().slice(0, maxErrorLine);
    const sentence = line === '' || header.includes(line) ? header : `${header}: ${line}`;
    onError({ sentence, receiptId: frame.headers['receipt-id'] });
  });
}

let isRepaired = false;

/** A header named `hasOwnProperty` makes stompit's parser throw, and the broker would redeliver the message at every restart. */
export function surviveHostileHeaders(): void {
  if (isRepaired) return;
  isRepaired = true;
  const { prototype } = stompit.IncomingFrameStream;
  const parse = prototype._parseHeaderLine;
  const hasOwnProperty = Object.getOwnPropertyDescriptor(Object.prototype, 'hasOwnProperty')?.value as unknown;
  prototype._parseHeaderLine = function parseSafely() {
    if (this._headers.hasOwnProperty !== hasOwnProperty) this._headers.hasOwnProperty = hasOwnProperty;
    return parse.call(this);
  };
}
