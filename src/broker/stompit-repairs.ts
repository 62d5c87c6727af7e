import stompit, { type Client, type Frame } from 'stompit';

/**
 * stompit 1.0.0 has faults that end the process. Those that bite outside of one connection's code are mended here, each with its
 * reason.
 */

/** An ERROR frame, as far as it tells. */
export interface ErrorFrame {
  /** Its header and the first line of its body, where that says more: some brokers tell the reason there alone. */
  sentence: string;
  /** The frame of ours that it answers. */
  receiptId: string | undefined;
}

/** As much of an ERROR frame's body as is read. */
const mostErrorText = 4096;
/** As much of it as is shown: a stack trace is of no use to an operator. */
const mostErrorLine = 300;

/**
 * stompit's handler of ERROR frames calls a method that frames do not have, which ends the process (RabbitMQ and Artemis
 * send such frames for a wrong password). Handlers are installed twice, always through this method.
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
    if (text.length < mostErrorText) text += chunk.toString('utf8');
  });
  frame.on('end', () => {
    const header = frame.headers['message'] ?? 'ERROR';
    const line = (text.split('\n')[0] ?? '').trim().slice(0, mostErrorLine);
    const sentence = line === '' || header.includes(line) ? header : `${header}: ${line}`;
    onError({ sentence, receiptId: frame.headers['receipt-id'] });
  });
}

let isRepaired = false;

/** A header named `hasOwnProperty` makes stompit's parser throw, and the broker would deliver it again at every restart. */
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
