import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from '../folder.ts';
import { isMissing } from '../programs.ts';
import { type Broker, type BrokerKind, freePort, loopback, quickJvm, runBroker } from './broker.ts';

const jar = '/usr/share/activemq/bin/activemq.jar';

/** Why tests with a broker cannot run here, or undefined. In CI a missing broker is a failure. */
export function brokerIsMissing(): string | undefined {
  if ((existsSync(jar) && !isMissing('java')) || process.env['CI'] === 'true') return undefined;
  return 'tests with a broker are skipped: install Debian packages activemq and default-jre-headless to enable them';
}

const configuration = (
  address: string,
  port: number,
  folder: string,
): string => `<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd
  http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="test" useJmx="false" schedulerSupport="false" dataDirectory="${folder}/data">
    <persistenceAdapter><kahaDB directory="${folder}/data/kahadb"/></persistenceAdapter>
    <destinationPolicy><policyMap><policyEntries>
      <policyEntry queue=">" maxPageSize="10000" maxBrowsePageSize="10000"/>
    </policyEntries></policyMap></destinationPolicy>
    <plugins><simpleAuthenticationPlugin><users>
      <authenticationUser username="swf" password="secret" groups="users"/>
    </users></simpleAuthenticationPlugin>
    <authorizationPlugin><map><authorizationMap><authorizationEntries>
      ${['panda.>', 'workflow_control', 'swf.>', 'test.>', 'suite.>', 'bench.>']
        .map((name) => `<authorizationEntry queue="${name}" read="users" write="users" admin="users"/>`)
        .join('')}
      <authorizationEntry queue="denied.>" read="users" write="nobody" admin="users"/>
      <authorizationEntry topic=">" read="users" write="users" admin="users"/>
    </authorizationEntries></authorizationMap></map></authorizationPlugin></plugins>
    <transportConnectors><transportConnector name="stomp" uri="stomp://${address}:${port}"/></transportConnectors>
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

export async function startBroker(place = loopback): Promise<Broker> {
  const folder = temporaryFolder();
  const port = await freePort();
  for (const name of ['tmp', 'conf', 'data']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'conf/activemq.xml'), configuration(place.address, port, folder));
  writeFileSync(join(folder, 'conf/log4j2.properties'), logging);
  const args = [
    ...quickJvm,
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
  ];
  const loseDisk = (): void => rmSync(join(folder, 'data/kahadb'), { recursive: true, force: true });
  return runBroker('activemq', port, { command: 'java', args, folder, loseDisk }, place);
}

export const activeMq: BrokerKind = { kind: 'activemq', missing: brokerIsMissing, start: startBroker };
