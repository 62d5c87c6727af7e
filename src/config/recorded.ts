import { resolve } from 'node:path';

import { showAddress } from '../broker/address.ts';
import type { BrokerSettings } from '../broker/connection.ts';
import type { BrokerSection, Config } from './schema.ts';

/**
 * A configuration as recorded: with the data folder in full, so that an execution can be resumed from any folder; with its broker's address; and
 * without secrets.
 */
export function asRecorded(config: Config, store: string, workingFolder: string, broker?: BrokerSettings): Config {
  const dir = config.data.dir === undefined ? `${store}.data` : resolve(workingFolder, config.data.dir);
  // Alarms do not belong to a run.
  const { watch: _, ...ofRun } = config;
  return { ...ofRun, data: { ...config.data, dir }, broker: recordedBroker(config.broker, broker) };
}

/** The recorded broker has its address and no login; without a broker, no address. */
function recordedBroker(section: BrokerSection, broker: BrokerSettings | undefined): BrokerSection {
  const { password: _, user: __, url: ___, ...kept } = section;
  return broker === undefined ? kept : { ...kept, url: broker.servers.map(showAddress).join(',') };
}
