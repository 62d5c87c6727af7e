import { configInvalid } from '../lib/errors.ts';
import { tried } from '../lib/tried.ts';

/** One server of a failover list. */
export interface BrokerAddress {
  host: string;
  port: number;
  tls: boolean;
}

const defaultPorts = { 'stomp:': 61_613, 'stomp+ssl:': 61_614 } as const;

/**
 * Reads `stomp://host:port`, `stomp+ssl://host:port`, or a comma-separated failover list of them. Throws
 * `CONFIG_INVALID`. Logins belong in the configuration or the environment, because logs show addresses.
 */
export const parseBrokerUrl = (url: string) => url.split(',').map((part) => parseOne(part.trim()));

function parseOne(text: string) {
  const wrong = (why: string) =>
    configInvalid(
      `broker URL ${JSON.stringify(masked(text))}: ${why}; write stomp://host:61613 or stomp+ssl://host:61614`,
    );
  // For these schemes `URL` has no default ports; it parses everything else as usual.
  const url = tried(() => new URL(text));
  if (url === undefined) throw wrong('is not a URL');
  if (url.protocol !== 'stomp:' && url.protocol !== 'stomp+ssl:') throw wrong(`has the scheme ${url.protocol}//`);
  if (url.hostname === '') throw wrong('has no host');
  if (url.username !== '' || url.password !== '')
    throw wrong('contains a login, which belongs in [broker] user and password or ACTIVEMQ_USER and ACTIVEMQ_PASSWORD');
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') throw wrong('has text after the port');
  const port = url.port === '' ? defaultPorts[url.protocol] : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, tls: url.protocol === 'stomp+ssl:' };
}

/** A URL that is safe to show: without anything that may be a password. */
const masked = (url: string) => url.replace(/\/\/[^/@,]*@/g, '//***@');

export const showAddress = ({ host, port, tls }: BrokerAddress) => `stomp${tls ? '+ssl' : ''}://${host}:${port}`;
