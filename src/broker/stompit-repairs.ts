import stompit, { type Client } from 'stompit';

/**
 * stompit 1.0.0 has faults that end the process. Those that bite outside of one connection's code are mended here, each with its
 * reason.
 */

/**
 * stompit's handler of ERROR frames calls a method that frames do not have, which ends the process (RabbitMQ and Artemis
 * send such frames for a wrong password). Handlers are installed twice, always through this method.
 */
export function replaceErrorHandler(client: Client, lost: (error: unknown) => void): void {
  const install = client.setCommandHandlers.bind(client);
  client.setCommandHandlers = (handlers) =>
    install({
      ...handlers,
      ERROR(frame) {
        frame.on('error', () => {});
        frame.resume();
        lost(Object.assign(new Error(frame.headers['message'] ?? 'ERROR'), { isRefusal: true }));
      },
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
