import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Maximum number of open connections: each costs memory and a file descriptor, and no system has more than
 * a few hundred clients.
 */
const maxConnections = 1000;

interface Connection {
  socket: Socket;
  /** The socket that answers are written to; with TLS this is not the connection's own socket. */
  out: Socket;
  /** Requests in progress: more than one if a client does not wait for answers. */
  underWay: number;
}

/** The identity of a peer, which is the same for a socket and for the TLS socket around it. */
const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

/**
 * Closes a connection if a new one would be too many: the connection that has been idle longest or, if none
 * is idle, one whose client does not read its answer. So clients that connect and send nothing, or do not
 * read the answers, cannot shut others out. Returns a function that ends all connections.
 */
export function limitConnections(server: Server, most: number = maxConnections) {
  /** The connections by peer, least recently changed first. */
  const connections = new Map<string, Connection>();
  const touch = (peer: string, connection: Connection) => {
    connections.delete(peer);
    connections.set(peer, connection);
  };
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    const added = { socket, out: socket, underWay: 0 };
    touch(peer, added);
    socket.once('close', () => {
      if (connections.get(peer) === added) connections.delete(peer);
    });
    if (connections.size <= most) return;
    const others = [...connections.values()].filter((other) => other !== added);
    const idle = others.find(({ underWay }) => underWay === 0);
    const deaf = others.find(({ out }) => out.writableLength > 0);
    (idle ?? deaf ?? added).socket.destroy();
  });
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const peer = peerOf(request.socket);
    const connection = connections.get(peer);
    if (connection === undefined) return;
    connection.out = request.socket;
    connection.underWay += 1;
    touch(peer, connection);
    response.once('close', () => {
      connection.underWay -= 1;
      if (connections.get(peer) === connection) touch(peer, connection);
    });
  });
  return () => {
    for (const { socket } of connections.values()) socket.destroy();
  };
}
