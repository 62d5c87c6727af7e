import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { brokerSettings, requireBroker } from '../../src/config/broker.ts';
import { configSchema } from '../../src/config/schema.ts';
import { temporaryFolder } from '../folder.ts';

const sectionOf = (more: object = {}) => configSchema.parse({ testbed: { namespace: 'n' }, broker: more }).broker;

const server = { host: 'broker', port: 61_613, tls: false };

describe('the broker of a command', () => {
  it.each<[string, string | undefined, object, Record<string, string>, object | undefined]>([
    [
      'is undefined if neither a flag nor the configuration names one',
      undefined,
      {},
      { ACTIVEMQ_HOST: 'broker' },
      undefined,
    ],
    ['is taken from the flag', 'stomp://broker', { url: 'stomp://other' }, {}, { servers: [server] }],
    ['is taken from the configuration', undefined, { url: 'stomp://broker' }, {}, { servers: [server] }],
    ['is taken from the environment', 'env', {}, { ACTIVEMQ_HOST: 'broker' }, { servers: [server] }],
    [
      'has the port from the environment',
      'env',
      {},
      { ACTIVEMQ_HOST: 'broker', ACTIVEMQ_PORT: '7' },
      { servers: [{ ...server, port: 7 }] },
    ],
    ...['1', 'true', 'YES'].map((value): [string, string, object, Record<string, string>, object] => [
      `uses TLS if the environment says ${value}`,
      'env',
      {},
      { ACTIVEMQ_HOST: 'broker', ACTIVEMQ_USE_SSL: value },
      { servers: [{ ...server, port: 61_614, tls: true }] },
    ]),
    [
      'uses no TLS if the environment says no',
      'env',
      {},
      { ACTIVEMQ_HOST: 'broker', ACTIVEMQ_USE_SSL: 'no' },
      { servers: [server] },
    ],
    [
      'has the login from the configuration',
      'stomp://broker',
      { user: 'u', password: 'p' },
      {},
      { user: 'u', password: 'p' },
    ],
    [
      'has the login from the environment rather than from the configuration',
      'stomp://broker',
      { user: 'u', password: 'p' },
      { ACTIVEMQ_USER: 'v', ACTIVEMQ_PASSWORD: 'q' },
      { user: 'v', password: 'q' },
    ],
    [
      'has no dialect until it is detected',
      'stomp://broker',
      { dialect: 'auto', heartbeat_seconds: 7, vhost: '/x' },
      {},
      { dialect: undefined, heartbeatSeconds: 7, vhost: '/x' },
    ],
    ['has the dialect that is given', 'stomp://broker', { dialect: 'artemis' }, {}, { dialect: 'artemis' }],
  ])('%s', (_, flag, section, env, expected) => {
    const settings = brokerSettings(flag, sectionOf(section), env);
    if (expected === undefined) expect(settings).toBeUndefined();
    else expect(settings).toMatchObject(expected);
  });

  it('takes certificates from the environment, or else from the configuration, or has none', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.pem'), 'A');
    writeFileSync(join(folder, 'b.pem'), 'B');
    const caOf = (section: object, env: NodeJS.ProcessEnv) =>
      brokerSettings('stomp+ssl://broker', sectionOf(section), env);
    expect(caOf({}, {})).not.toHaveProperty('ca');
    expect(caOf({}, { ACTIVEMQ_SSL_CA_CERTS: '' })).not.toHaveProperty('ca');
    expect(caOf({ ca_file: join(folder, 'a.pem') }, {})).toMatchObject({ ca: 'A' });
    expect(caOf({ ca_file: join(folder, 'a.pem') }, { ACTIVEMQ_SSL_CA_CERTS: join(folder, 'b.pem') })).toMatchObject({
      ca: 'B',
    });
    expect(() => caOf({ ca_file: join(folder, 'c.pem') }, {})).toThrow(
      /^the CA file \S+c\.pem cannot be read \(.*ENOENT.*\); check broker\.ca_file or ACTIVEMQ_SSL_CA_CERTS$/,
    );
  });

  it('is required by some commands, whose error says how to name a broker', () => {
    expect(requireBroker('"swf-mcp up"', 'stomp://broker', sectionOf(), {})).toMatchObject({ servers: [server] });
    expect(() => requireBroker('"swf-mcp up"', undefined, sectionOf(), {})).toThrow(
      '"swf-mcp up" needs a broker; give --broker stomp://HOST:PORT, or [broker] url in its configuration',
    );
    for (const env of [{}, { ACTIVEMQ_HOST: '' }])
      expect(() => requireBroker('x', 'env', sectionOf(), env)).toThrow(
        '--broker env takes the broker from the environment, but ACTIVEMQ_HOST is not set; set it, or give --broker stomp://HOST:PORT',
      );
  });
});
