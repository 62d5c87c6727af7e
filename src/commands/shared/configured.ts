import { requireBroker } from '../../config/broker.ts';
import { loadConfig } from '../../config/load.ts';
import { requireOwnNamespace } from '../../config/policies.ts';
import { type BrokerFlags, type ConfigFlags, configPlaces, type Io } from './io.ts';

/** The configuration that flags choose and change. Throws `CONFIG_NOT_FOUND` or `CONFIG_INVALID`. */
export const configOf = (io: Io, { config: name, sets }: ConfigFlags) =>
  loadConfig({ name, sets, ...configPlaces(io) });

/**
 * Like `configOf`, for a command that needs a broker and its own namespace on the broker.
 * @param who the command, as the subject of a sentence
 */
export function configWithBroker(io: Io, who: string, flags: BrokerFlags) {
  const loaded = configOf(io, flags);
  const settings = requireBroker(who, flags.broker, loaded.config.broker, io.env);
  requireOwnNamespace(loaded);
  return { ...loaded, settings };
}
