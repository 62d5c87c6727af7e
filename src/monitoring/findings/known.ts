import { counted } from '../../lib/counted.ts';
import { call, type Finding } from './rule.ts';

/** The regular expression for a pattern of names, in which `*` stands for any text. */
const patternOf = (pattern: string) =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[^\w]/g, '\\$&'))
      .join('.*')}$`,
  );

/** The code in an entry of `[observe] known`, and the entry's pattern, if any. */
export function knownEntry(entry: string) {
  const [, code = entry, pattern] = /^(\S+)(?:\s+(\S.*?))?\s*$/.exec(entry.trim()) ?? [];
  return { code, pattern };
}

const mostIds = 5;

/**
 * Whether a finding is configured as known. Errors never count as known. If patterns are given, each sender
 * must match one of them.
 */
function isKnown({ code, severity, senders = [], ids }: Finding, known: readonly string[]) {
  const entries = known.map(knownEntry).filter((entry) => entry.code === code);
  if (severity === 'error' || entries.length === 0) return false;
  const patterns = entries.flatMap(({ pattern }) => (pattern === undefined ? [] : patternOf(pattern)));
  if (patterns.length < entries.length) return true;
  // If there are this many ids, there may be more that have not been compared with any pattern.
  const complete = ids.length < mostIds ? ids : [];
  const names = senders.length > 0 ? senders : complete;
  return names.length > 0 && names.every((name) => patterns.some((pattern) => pattern.test(name)));
}

/**
 * The findings, with the known ones combined into one of severity `info`, which raises no alarm.
 * @param known entries such as `CODE` or `CODE sender-*`
 */
export function withKnown(executionId: string, findings: readonly Finding[], known: readonly string[]): Finding[] {
  const folded = findings.filter((finding) => isKnown(finding, known));
  if (folded.length === 0) return [...findings];
  const codes = [...new Set(folded.map(({ code }) => code))];
  return [
    ...findings.filter((finding) => !folded.includes(finding)),
    {
      code: 'KNOWN',
      severity: 'info',
      sentence: `${counted(folded.length, 'known finding')}: ${codes.join(', ')}.`,
      ids: codes,
      next: call('get_execution_timeline', { execution_id: executionId }),
    },
  ];
}
