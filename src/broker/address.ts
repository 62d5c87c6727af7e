import { SwfError } from '../lib/errors.ts';

/** One server of a failover list. */
export interface BrokerAddress {
  host: string;
  port: number;
  tls: boolean;
}

const defaultPorts = { 'stomp:': 61_613, 'stomp+ssl:': 61_614 } as const;

/**
 * Reads `stomp://host:port`, `stomp+ssl://host:port`, or a comma list of them, which is a failover list.
 * Throws `CONFIG_INVALID`. Login belongs into the configuration or the environment: an address is shown in logs.
 */
export function parseBrokerUrl(url: string): BrokerAddress[] {
  return url.split(',').map((part) => parseOne(part.trim()));
}

function parseOne(text: string): BrokerAddress {
  const wrong = (why: string): SwfError =>
    new SwfError(
      'CONFIG_INVALID',
      `broker URL ${JSON.stringify(masked(text))}: ${why}; write stomp://host:61613 or stomp+ssl://host:61614`,
    );
  let url: URL;
  try {
    // URL knows no ports of its own for these schemes, and reads them as it reads any other.
    url = new URL(text);
  } catch {
    throw wrong('is no URL');
  }
  if (url.protocol !== 'stomp:' && url.protocol !== 'stomp+ssl:') throw wrong(`has the scheme ${url.protocol}//`);
  if (url.hostname === '') throw wrong('has no host');
  if (url.username !== '' || url.password !== '')
    throw wrong('holds a login, which belongs into [broker] user and password or ACTIVEMQ_USER and ACTIVEMQ_PASSWORD');
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '')
    throw wrong('has something behind the port');
  const port = url.port === '' ? defaultPorts[url.protocol] : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, tls: url.protocol === 'stomp+ssl:' };
}

/** A URL as it may be shown: without what stands for a password. */
function masked(url: string): string {
  return url.replace(/\/\/[^/@,]*@/g, '//***@');
}

export const showAddress = ({ host, port, tls }: BrokerAddress): string =>
  `stomp${tls ? '+ssl' : ''}://${host}:${port}`;
