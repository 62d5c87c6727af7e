import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Connections at once: each costs memory and a file descriptor, and a few hundred are all that anybody has. */
const mostConnections = 1000;

/** The same of a socket and of the one that TLS wraps around it. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/**
 * Lets go of the connection that has been idle longest where a new one would be too many, so that those who connect and say nothing
 * shut nobody out. Where all of them have a request under way, the new one goes.
 */
export function limitConnections(server: Server, most: number = mostConnections): void {
  /** Idle ones in the order in which they became so, and those with a request under way. */
  const idle = new Map<string, Socket>();
  const busy = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    idle.set(peer, socket);
    socket.once('close', () => {
      idle.delete(peer);
      busy.delete(peer);
    });
    if (idle.size + busy.size <= most) return;
    const [longest] = idle.values();
    longest?.destroy();
  });
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const peer = peerOf(request.socket);
    const socket = idle.get(peer);
    if (socket === undefined) return;
    idle.delete(peer);
    busy.set(peer, socket);
    response.once('close', () => {
      if (busy.delete(peer) && !socket.destroyed) idle.set(peer, socket);
    });
  });
}
