import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { temporaryFolder } from '../folder.ts';
import { type Broker, type BrokerKind, freePort, login, loopback, runBroker } from './broker.ts';

const programs = '/usr/lib/rabbitmq/bin';
const server = join(programs, 'rabbitmq-server');

/** The type of queues that are declared without one. */
export type QueueType = 'classic' | 'quorum';

/** A broker with its command for operators. */
export interface RabbitMq extends Broker {
  control(...args: string[]): Promise<string>;
}

const configuration = (
  address: string,
  port: number,
  amqp: number,
  queues: QueueType,
): string => `listeners.tcp.1 = 127.0.0.1:${amqp}
stomp.listeners.tcp.1 = ${address}:${port}
default_user = ${login.user}
default_pass = ${login.password}
loopback_users = none
default_permissions.configure = ^(?!denied).*$
default_permissions.write = ^(?!denied).*$
default_permissions.read = .*
disk_free_limit.absolute = 10MB
log.console = false
default_queue_type = ${queues}
`;

/** RabbitMQ with its STOMP plugin, from Debian's package. */
export async function startRabbitMq(queues: QueueType = 'classic', place = loopback): Promise<RabbitMq> {
  const folder = temporaryFolder();
  const [port, amqp, distribution] = [await freePort(), await freePort(), await freePort()];
  for (const name of ['home', 'log', 'data']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'rabbitmq.conf'), configuration(place.address, port, amqp, queues));
  writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_stomp].\n');
  const env = {
    HOME: join(folder, 'home'),
    // Then the script becomes the broker, and a signal to it reaches the broker.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_NODENAME: `test${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
  const loseDisk = (): void => {
    rmSync(join(folder, 'data'), { recursive: true, force: true });
    mkdirSync(join(folder, 'data'));
  };
  const broker = await runBroker('rabbitmq', port, { command: server, args: [], folder, env, loseDisk }, place);
  const control = async (...args: string[]): Promise<string> => {
    const asked = await promisify(execFile)(join(programs, 'rabbitmqctl'), args, { env: { ...process.env, ...env } });
    return asked.stdout;
  };
  return { ...broker, control };
}

export const rabbitMqBroker: BrokerKind = {
  kind: 'rabbitmq',
  missing: () =>
    existsSync(server) || process.env['CI'] === 'true'
      ? undefined
      : 'tests with RabbitMQ are skipped: install the Debian package rabbitmq-server to enable them',
  start: (place) => startRabbitMq('classic', place),
};
