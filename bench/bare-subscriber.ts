import stompit from 'stompit';

import { login } from '../test/brokers/broker.ts';

/** The least that a subscriber can do: it reads each message and counts it. */
const [, , port, destination = ''] = process.argv;
let heard = 0;
const connectHeaders = { host: '/', login: login.user, passcode: login.password, 'heart-beat': '10000,10000' };
const client = stompit.connect({ host: '127.0.0.1', port: Number(port), connectHeaders }, (error) => {
  if (error) throw error;
  client.setImplicitSubscription('1', 'auto', (_, message) => {
    message.on('data', () => {});
    message.on('end', () => (heard += 1));
  });
  client.sendFrame('SUBSCRIBE', { id: '1', destination, ack: 'auto' }).end();
  console.log('listens');
});
process.on('SIGTERM', () => {
  console.log(heard);
  process.exit(0);
});
