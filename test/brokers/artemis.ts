import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from '../folder.ts';
import { isMissing } from '../programs.ts';
import { type Broker, type BrokerKind, freePort, login, loopback, quickJvm, runBroker } from './broker.ts';

/**
 * How a broker names its addresses. `site`: as the programs of 2026 at the existing testbed need them, with the rights of an ordinary user there; `2025-12` and
 * `2025-10`: as the testbed's documents of those months have them. `anycast`: as `site`, but the topic of results is a queue.
 */
export type Naming = 'stock' | 'literal' | 'prefixes' | 'site' | '2025-12' | '2025-10' | 'anycast';

const home = (): string => process.env['ARTEMIS_HOME'] ?? '';

const isThere = (): boolean => existsSync(join(home(), 'lib/artemis-boot.jar'));

const queues = ['panda.transformer.slices', 'panda.results.fastprocessing', 'workflow_control'];

/** Addresses created beforehand, with the prefix as part of their names, as in one of the testbed's documents. */
const literal = [
  ...queues.map((name) => `<address name="/queue/${name}"><anycast><queue name="/queue/${name}"/></anycast></address>`),
  '<address name="/topic/epictopic"><multicast/></address>',
].join('');

/** A topic, with the queues that its messages go to as well. */
const topic = (name: string, ...queuesOfIt: string[]): string =>
  `<address name="/topic/${name}"><multicast>${queuesOfIt.map((queue) => `<queue name="/queue/${queue}"/>`).join('')}</multicast></address>`;

const queue = (name: string): string => `<address name="${name}"><anycast><queue name="${name}"/></anycast></address>`;

const always = [topic('epictopic'), topic('panda.transformer'), queue('/queue/workflow_control')];

/** The layout of the testbed's programs of 2026: results and slices are topics, whose messages go to queues of other names. */
const head = [...always, topic('panda.workers'), topic('panda.slices', 'panda.slices.transformer')];

/** In 2025 slices go to a queue; a divert copies them for a monitor. */
const monitored = [...always, queue('/queue/panda.transformer.slices'), topic('panda.transformer.slices.monitor')];

const addressesOf: Readonly<Record<Naming, readonly string[]>> = {
  stock: [],
  prefixes: [],
  literal: [literal],
  site: [...head, topic('panda.results', 'panda.results.fastprocessing')],
  '2025-12': [...monitored, topic('panda.results', 'panda.results.fastprocessing')],
  '2025-10': [
    ...monitored,
    topic('panda.results', 'panda.results.sub1', 'panda.results.sub2', 'panda.results.monitor'),
  ],
  anycast: [...head, queue('/topic/panda.results')],
};

const divert = `<diverts><divert name="monitor"><address>/queue/panda.transformer.slices</address>
  <forwarding-address>/topic/panda.transformer.slices.monitor</forwarding-address><exclusive>false</exclusive>
  <routing-type>MULTICAST</routing-type></divert></diverts>`;

/** The namings of brokers where one has the rights of an ordinary user. */
const sites: ReadonlySet<Naming> = new Set<Naming>(['site', '2025-12', '2025-10', 'anycast']);

/** The rights of an ordinary user at a site. */
const ordinary = [
  'consume',
  'send',
  'createNonDurableQueue',
  'deleteNonDurableQueue',
  'createDurableQueue',
  'createAddress',
];

/** A user with all rights. */
export const administrator = { user: 'admin', password: 'admin' };

const permissions = [
  'createNonDurableQueue',
  'deleteNonDurableQueue',
  'createDurableQueue',
  'deleteDurableQueue',
  'createAddress',
  'deleteAddress',
  'consume',
  'browse',
  'send',
];

const configuration = (
  folder: string,
  address: string,
  port: number,
  naming: Naming,
): string => `<configuration xmlns="urn:activemq"><core xmlns="urn:activemq:core">
  <name>test</name><journal-type>NIO</journal-type><journal-datasync>false</journal-datasync>
  <paging-directory>${folder}/data/paging</paging-directory><bindings-directory>${folder}/data/bindings</bindings-directory>
  <journal-directory>${folder}/data/journal</journal-directory><large-messages-directory>${folder}/data/large</large-messages-directory>
  <max-disk-usage>100</max-disk-usage>
  <acceptors><acceptor name="stomp">tcp://${address}:${port}?protocols=STOMP${
    naming === 'prefixes' ? ';anycastPrefix=/queue/;multicastPrefix=/topic/' : ''
  }</acceptor></acceptors>
  <security-settings><security-setting match="#">${[...permissions, 'manage']
    .map(
      (type) =>
        `<permission type="${type}" roles="${!sites.has(naming) || ordinary.includes(type) ? 'amq,' : ''}administrators"/>`,
    )
    .join('')}</security-setting>
    <security-setting match="/queue/denied.#">${permissions
      .filter((type) => type !== 'send')
      .map((type) => `<permission type="${type}" roles="amq"/>`)
      .join('')}</security-setting></security-settings>
  <address-settings><address-setting match="#"><dead-letter-address>DLQ</dead-letter-address>
    <expiry-address>ExpiryQueue</expiry-address></address-setting></address-settings>
  <addresses><address name="DLQ"><anycast><queue name="DLQ"/></anycast></address>
    <address name="ExpiryQueue"><anycast><queue name="ExpiryQueue"/></anycast></address>${addressesOf[naming].join('')}</addresses>
  ${naming.startsWith('2025') ? divert : ''}
</core></configuration>
`;

const bootstrap = (folder: string): string => `<broker xmlns="http://activemq.apache.org/schema">
  <jaas-security domain="activemq"/><server configuration="file:${folder}/etc/broker.xml"/>
</broker>
`;

const loginConfig = `activemq {
  org.apache.activemq.artemis.spi.core.security.jaas.PropertiesLoginModule required
    org.apache.activemq.jaas.properties.user="users.properties" org.apache.activemq.jaas.properties.role="roles.properties";
};
`;

/** Apache Artemis, started without its scripts: an instance is a folder with a few files. */
export async function startArtemis(naming: Naming = 'stock', place = loopback): Promise<Broker> {
  const folder = temporaryFolder();
  const port = await freePort();
  for (const name of ['etc', 'data', 'tmp', 'lock']) mkdirSync(join(folder, name));
  const write = (name: string, content: string): void => writeFileSync(join(folder, 'etc', name), content);
  write('broker.xml', configuration(folder, place.address, port, naming));
  write('bootstrap.xml', bootstrap(folder));
  write('login.config', loginConfig);
  write('management.xml', '<management-context xmlns="http://activemq.apache.org/schema"/>\n');
  write('users.properties', `${login.user}=${login.password}\n${administrator.user}=${administrator.password}\n`);
  write('roles.properties', `amq=${login.user}\nadministrators=${administrator.user}\n`);
  const args = [
    ...quickJvm,
    '-Xmx256M',
    '-Dlog4j2.disableJmx=true',
    `-Djava.io.tmpdir=${folder}/tmp`,
    '--add-opens',
    'java.base/jdk.internal.misc=ALL-UNNAMED',
    `-Djava.security.auth.login.config=${folder}/etc/login.config`,
    `-Dartemis.home=${home()}`,
    `-Dartemis.instance=${folder}`,
    `-Dartemis.instance.etc=${folder}/etc`,
    `-Ddata.dir=${folder}/data`,
    '-cp',
    join(home(), 'lib/artemis-boot.jar'),
    'org.apache.activemq.artemis.boot.Artemis',
    'run',
  ];
  const loseDisk = (): void => rmSync(join(folder, 'data'), { recursive: true, force: true });
  const program = { command: 'java', args, folder, loseDisk, env: { ARTEMIS_INSTANCE: folder } };
  return runBroker('artemis', port, program, place);
}

export const artemisBroker: BrokerKind = {
  kind: 'artemis',
  missing: () =>
    (isThere() && !isMissing('java')) || process.env['CI'] === 'true'
      ? undefined
      : 'tests with Artemis are skipped: unpack apache-artemis-2.40.0-bin.tar.gz of Maven Central and name its folder by ARTEMIS_HOME to enable them',
  start: (place) => startArtemis('stock', place),
};
