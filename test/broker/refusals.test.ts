import { expect, it } from 'vitest';

import { asRefusal } from '../../src/broker/stomp-requests.ts';

const address = { host: 'broker', port: 61613, tls: false };

it.each([
  [
    "AMQ339016 Error creating subscription: AMQ229213: User: shifter does not have permission='CREATE_DURABLE_QUEUE' for queue swf.n.1 on address /topic/epictopic",
    'this user lacks the permission "CREATE_DURABLE_QUEUE" on /topic/epictopic',
  ],
  [
    "AMQ229032: User: shifter does not have permission='SEND' on address panda.results",
    'this user lacks the permission "SEND" on panda.results',
  ],
  [
    'User shifter is not authorized to read from: topic://epictopic',
    'this user lacks the permission "read" on topic://epictopic',
  ],
  [
    "access_refused: read access to queue 'q' in vhost '/' refused for user 'shifter'",
    `this user lacks the permission "read" on queue 'q' in vhost '/'`,
  ],
  ['AMQ229031: Unable to validate user from /127.0.0.1:1. Username: x', 'check the user name and password'],
  ['User name [shifter] or password is invalid.', 'check the user name and password'],
  ["Bad CONNECT: Access refused for user 'shifter'", 'check the user name and password'],
  ['AMQ339017 Error unsubscribing durable', 'stop the program that still reads from the subscription'],
])("the error for a broker's refusal says what to do: %s", (sentence, cure) => {
  expect(asRefusal(sentence, address).line).toContain(cure);
});

it('the error for a refusal unrelated to the login does not blame the login', () => {
  const { line } = asRefusal('AMQ229102: Address "x" is full. Message encode size = 1B', address);
  expect(line).not.toMatch(/user|password|right/);
  expect(line).toContain('is full');
});
