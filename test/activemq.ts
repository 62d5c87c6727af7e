import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';

import { temporaryFolder } from './folder.ts';

/** A real ActiveMQ Classic, from Debian's package, on a loopback port with a folder of its own. */
export interface Broker {
  port: number;
  url: string;
  user: string;
  password: string;
  /** Environment that lets `--broker` log in. */
  env: Record<string, string>;
  child(): ChildProcess;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const jar = '/usr/share/activemq/bin/activemq.jar';

/** Why tests with a broker cannot run here, or undefined. In CI a missing broker is a failure. */
export function brokerIsMissing(): string | undefined {
  if (existsSync(jar) || process.env['CI'] === 'true') return undefined;
  return 'tests with a broker are skipped: install Debian packages activemq and default-jre-headless to enable them';
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

const configuration = (
  port: number,
  folder: string,
): string => `<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd
  http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="test" useJmx="false" schedulerSupport="false" dataDirectory="${folder}/data">
    <persistenceAdapter><kahaDB directory="${folder}/data/kahadb"/></persistenceAdapter>
    <plugins><simpleAuthenticationPlugin><users>
      <authenticationUser username="swf" password="secret" groups="users"/>
    </users></simpleAuthenticationPlugin></plugins>
    <transportConnectors><transportConnector name="stomp" uri="stomp://127.0.0.1:${port}"/></transportConnectors>
  </broker>
</beans>
`;

const logging = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d | %-5p | %m%n
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
`;

export async function startBroker(): Promise<Broker> {
  const folder = temporaryFolder();
  const port = await freePort();
  for (const name of ['tmp', 'conf', 'data']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'conf/activemq.xml'), configuration(port, folder));
  writeFileSync(join(folder, 'conf/log4j2.properties'), logging);
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn(
      'java',
      [
        '-Xms64M',
        '-Xmx512M',
        `-Djava.io.tmpdir=${folder}/tmp`,
        '-Dactivemq.home=/usr/share/activemq',
        `-Dactivemq.base=${folder}`,
        `-Dactivemq.conf=${folder}/conf`,
        `-Dactivemq.data=${folder}/data`,
        `-Dactivemq.classpath=${folder}/conf`,
        `-Dlog4j2.configurationFile=file:${folder}/conf/log4j2.properties`,
        '-jar',
        jar,
        'start',
        `xbean:file:${folder}/conf/activemq.xml`,
      ],
      { stdio: 'ignore' },
    );
    await accepting(port, child);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    port,
    url: `stomp://127.0.0.1:${port}`,
    user: 'swf',
    password: 'secret',
    env: { ACTIVEMQ_USER: 'swf', ACTIVEMQ_PASSWORD: 'secret' },
    child: () => child,
    kill: () => end('SIGKILL'),
    start,
    stop: () => end('SIGTERM'),
  };
}

async function accepting(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const up = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (up) return;
    await delay(50);
  }
  throw new Error('the broker did not start within a minute');
}

/** A TCP proxy in front of a broker that can reset every connection. */
export async function startProxy(port: number): Promise<{ port: number; server: Server; reset: () => void }> {
  const sockets = new Set<import('node:net').Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    }
    client.pipe(upstream).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    server,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
  };
}

/** TLS in front of a broker, with a certificate of its own for `localhost`. */
export async function startTls(
  port: number,
  folder: string,
): Promise<{ port: number; certificate: string; server: Server }> {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-days', '2'];
  execFileSync('openssl', [...request, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], {
    stdio: 'ignore',
  });
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    client.pipe(upstream).pipe(client);
  }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  await once(server, 'listening');
  return { port: (server.address() as { port: number }).port, certificate, server };
}
