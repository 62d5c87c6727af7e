import { parseBrokerUrl } from '../broker/address.ts';
import type { BrokerSettings } from '../broker/connection.ts';
import { configInvalid, messageOf } from '../lib/errors.ts';
import { readRegularFile } from '../lib/file-system.ts';
import type { BrokerSection } from './schema.ts';

type Env = NodeJS.ProcessEnv;

/**
 * The broker requested by `--broker` or `[broker] url`, completed from the environment; undefined if none was
 * requested. Throws `CONFIG_INVALID`.
 * @param flag `--broker`: a URL, or `env` to take the broker entirely from the environment
 */
export function brokerSettings(flag: string | undefined, section: BrokerSection, env: Env): BrokerSettings | undefined {
  const url = flag === 'env' ? urlFromEnvironment(env) : (flag ?? section.url);
  if (url === undefined) return undefined;
  const caFile = env['ACTIVEMQ_SSL_CA_CERTS'] || section.ca_file;
  const servers = parseBrokerUrl(url);
  return {
    servers,
    user: env['ACTIVEMQ_USER'] || section.user,
    password: env['ACTIVEMQ_PASSWORD'] || section.password,
    heartbeatSeconds: section.heartbeat_seconds,
    dialect: section.dialect === 'auto' ? undefined : section.dialect,
    vhost: section.vhost,
    ...(caFile === undefined || caFile === '' ? {} : { ca: readCertificates(caFile) }),
  };
}

/**
 * Like `brokerSettings`, for a command that requires a broker. Throws `CONFIG_INVALID` if no broker was requested.
 * @param who the command, as the subject of a sentence
 */
export function requireBroker(who: string, flag: string | undefined, section: BrokerSection, env: Env) {
  const settings = brokerSettings(flag, section, env);
  if (settings !== undefined) return settings;
  throw configInvalid(`${who} needs a broker; give --broker stomp://HOST:PORT, or [broker] url in its configuration`);
}

function urlFromEnvironment(env: Env) {
  const host = env['ACTIVEMQ_HOST'];
  if (host === undefined || host === '') {
    throw configInvalid(
      '--broker env takes the broker from the environment, but ACTIVEMQ_HOST is not set; set it, or give --broker stomp://HOST:PORT',
    );
  }
  const tls = ['1', 'true', 'yes'].includes((env['ACTIVEMQ_USE_SSL'] ?? '').toLowerCase());
  return `stomp${tls ? '+ssl' : ''}://${host}${env['ACTIVEMQ_PORT'] ? `:${env['ACTIVEMQ_PORT']}` : ''}`;
}

function readCertificates(path: string) {
  try {
    return readRegularFile(path).content.toString('utf8');
  } catch (error) {
    throw configInvalid(
      `the CA file ${path} cannot be read (${messageOf(error)}); check broker.ca_file or ACTIVEMQ_SSL_CA_CERTS`,
      { cause: error },
    );
  }
}
