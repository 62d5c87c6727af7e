import type { Config } from '../../config/schema.ts';
import { knownEntry } from '../../monitoring/findings/known.ts';
import { requireFindingCode } from '../shared/finding-codes.ts';
import type { ConfigFlags } from '../shared/io.ts';

/**
 * The findings that `[observe] known` acknowledges; undefined if no configuration was given, in which case the
 * store keeps its list. Throws `CONFIG_INVALID` for a code that no finding has.
 */
export function knownFindings(flags: ConfigFlags, read: () => Config) {
  if (flags.config === undefined && flags.sets.length === 0) return undefined;
  const { known = [] } = read().observe ?? {};
  for (const entry of known) requireFindingCode('observe.known', knownEntry(entry).code);
  return known;
}
