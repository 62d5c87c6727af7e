import type { BrokerSettings } from '../../broker/connection.ts';
import { brokerSettings } from '../../config/broker.ts';
import { parseRecordedConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { startMessage } from '../../db/execution/start-message.ts';
import type { Store } from '../../db/opening/store.ts';
import type { Io } from '../shared/io.ts';

/** How an execution was started, according to its log. */
export interface RecordedSetup {
  config: Config;
  /** Its broker; undefined if it runs in one process. A flag names another broker. */
  broker: (flag?: string) => BrokerSettings | undefined;
}

/** Throws `EXECUTION_NOT_RUNNING` if it was started elsewhere, `CONFIG_INVALID` if its configuration cannot be used. */
export function recordedSetup(io: Io, { sql }: Store, executionId: string): RecordedSetup {
  const config = parseRecordedConfig(startMessage(sql, executionId).params, executionId);
  return { config, broker: (flag) => brokerSettings(flag, config.broker, io.env) };
}
