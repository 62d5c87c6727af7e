import type { Config } from '../../config/schema.ts';
import { configInvalid } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import { findingRules } from '../../monitoring/findings/index.ts';
import { knownEntry } from '../../monitoring/findings/known.ts';
import type { ConfigFlags } from '../shared/io.ts';

/**
 * The findings that `[observe] known` acknowledges; undefined if no configuration was given: the store keeps its
 * own. Throws `CONFIG_INVALID` for a code that no finding has.
 */
export function knownFindings(flags: ConfigFlags, read: () => Config): string[] | undefined {
  if (flags.config === undefined && flags.sets.length === 0) return undefined;
  const { known } = read().observe ?? {};
  const codes = findingRules.map(({ code }) => code);
  for (const entry of known ?? []) {
    const { code } = knownEntry(entry);
    if (!codes.includes(code))
      throw configInvalid(
        `observe.known: no finding has the code ${JSON.stringify(code.slice(0, 80))}; the nearest is ${nearest(code, codes, 1)[0]}, docs/monitor.md lists all`,
      );
  }
  return known ?? [];
}
