import { type AlarmSeverity, maxNote } from '../../domain/logbook-words.ts';
import { sha256 } from '../../lib/sha256.ts';
import { shortPaths, clipWords } from '../../lib/words.ts';
import { type Finding, wholeSentence } from './rule.ts';

/**
 * A finding must last this long before it raises an alarm, and be gone this long before the alarm is over.
 * Seconds.
 */
export const usualPatience: Readonly<Record<AlarmSeverity, number>> = { warning: 30, error: 10 };

/** A finding in the form that alarms use. */
export interface AlarmFinding {
  code: string;
  /** The execution, followed by `:` and the slice, file, worker or host if the finding has one. */
  subject: string;
  severity: AlarmSeverity;
  sentence: string;
}

/**
 * The findings of an execution that raise alarms, the worst per code and subject. Findings of severity `info`
 * raise none.
 */
export function alarmFindings(executionId: string, findings: readonly Finding[]): AlarmFinding[] {
  const found = new Map<string, AlarmFinding>();
  for (const finding of findings) {
    const { code, severity, about } = finding;
    const subject = about === undefined ? executionId : `${executionId}:${named(about)}`;
    const alarmId = `${code}/${subject}`;
    // Findings are sorted, worst first.
    if (severity !== 'info' && !found.has(alarmId))
      found.set(alarmId, { code, subject, severity, sentence: clipWords(shortPaths(wholeSentence(finding)), maxNote) });
  }
  return [...found.values()];
}

const longestName = 200;

/**
 * Shortens a name that a program chose, which may have any length; a digest distinguishes long names.
 */
function named(name: string): string {
  if (name.length <= longestName) return name;
  const digest = sha256().update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, longestName).replace(/[\uD800-\uDBFF]$/, '')}…${digest}`;
}

/** The state of an alarm, and since when its finding differs from it. Milliseconds since 1970. */
interface AlarmStanding {
  /** The severity with which it was raised; undefined while it is not. */
  raised?: AlarmSeverity | undefined;
  /** Since when the finding exists, or is worse, without an alarm raised for that. */
  found?: number | undefined;
  /** Since when the finding is gone, while the alarm is not over. */
  gone?: number | undefined;
}

/** The outcome of one check: the messages to record, and the times to remember until the next check. */
interface AlarmStep {
  changes: ('raised' | 'cleared')[];
  found?: number;
  gone?: number;
}

/**
 * The change that one check of a finding makes. Its alarm is raised once the finding has persisted, and
 * clears once it has been gone for as long, so a flickering finding is one alarm. A finding that stays
 * worse raises the alarm again.
 * @param severity of the finding, or undefined
 * @param patience seconds
 */
export function alarmStep(
  { raised, found, gone }: AlarmStanding,
  severity: AlarmSeverity | undefined,
  { now, patience }: { now: number; patience: number },
): AlarmStep {
  const lasted = (since: number) => now - since >= patience * 1000;
  if (severity === undefined) {
    if (raised === undefined) return { changes: [] };
    const since = before(now, gone);
    return lasted(since) ? { changes: ['cleared'] } : { changes: [], gone: since };
  }
  if (raised === 'error' || raised === severity) return { changes: [] };
  const since = before(now, found);
  if (!lasted(since)) return { changes: [], found: since };
  return { changes: raised === undefined ? ['raised'] : ['cleared', 'raised'] };
}

/** The remembered time, or now if it is unknown or if the clock was set back since. */
const before = (now: number, time = now) => Math.min(time, now);
