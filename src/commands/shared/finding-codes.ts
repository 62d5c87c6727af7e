import { configInvalid } from '../../lib/errors.ts';
import { nearest } from '../../lib/suggest.ts';
import { findingRules } from '../../monitoring/findings/index.ts';

/** Throws `CONFIG_INVALID` for a code that no finding has. @param key the configuration key that names the code */
export function requireFindingCode(key: string, code: string) {
  const codes = findingRules.map((rule) => rule.code);
  if (!codes.includes(code))
    throw configInvalid(
      `${key}: no finding has the code ${JSON.stringify(code.slice(0, 80))}; the nearest is ${nearest(code, codes, 1)[0]}; docs/monitor.md lists all`,
    );
}
