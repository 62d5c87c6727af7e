import { type AlarmSeverity, maxNote } from '../../domain/logbook-words.ts';
import { sha256 } from '../../lib/sha256.ts';
import { shortPaths, clipWords } from '../../lib/words.ts';
import { type Finding, wholeSentence } from './rule.ts';

/**
 * How long a finding must last before it raises an alarm, and how long it must be gone before the alarm is
 * cleared, in seconds.
 */
export const usualPatience: Readonly<Record<AlarmSeverity, number>> = { warning: 30, error: 10 };

export interface AlarmFinding {
  code: string;
  /** The execution, followed by `:` and the slice, file, worker or host if the finding is about one. */
  subject: string;
  severity: AlarmSeverity;
  sentence: string;
}

/**
 * The findings of an execution that raise alarms; if several have the same code and subject, only the worst.
 * Findings of severity `info` do not raise alarms.
 */
export function alarmFindings(executionId: string, findings: readonly Finding[]) {
  const found = new Map<string, AlarmFinding>();
  for (const finding of findings) {
    const { code, severity } = finding;
    const alarmId = alarmIdOf(executionId, finding);
    // Findings arrive sorted, worst first.
    if (severity !== 'info' && !found.has(alarmId))
      found.set(alarmId, {
        code,
        subject: alarmId.slice(code.length + 1),
        severity,
        sentence: clipWords(shortPaths(wholeSentence(finding)), maxNote),
      });
  }
  return [...found.values()];
}

/** The id of the alarm that a finding raises. */
export const alarmIdOf = (executionId: string, { code, about }: Pick<Finding, 'code' | 'about'>) =>
  `${code}/${executionId}${about === undefined ? '' : `:${named(about)}`}`;

const longestName = 200;

/** Shortens a name chosen by another program, which may have any length. A digest distinguishes long names. */
function named(name: string) {
  if (name.length <= longestName) return name;
  const digest = sha256().update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, longestName).replace(/[\uD800-\uDBFF]$/, '')}…${digest}`;
}

/** The state of an alarm, and when its finding began to differ from that state. Times are milliseconds since 1970. */
interface AlarmStanding {
  /** The severity with which the alarm was raised; undefined while it is not raised. */
  raised?: AlarmSeverity | undefined;
  /** When the finding appeared, or became worse, without a corresponding alarm. */
  found?: number | undefined;
  /** When the finding disappeared, if the alarm has not been cleared yet. */
  gone?: number | undefined;
}

/** The outcome of one check: the changes to record, and the times to remember until the next check. */
interface AlarmStep {
  changes: ('raised' | 'cleared')[];
  found?: number;
  gone?: number;
}

/**
 * The change that one check of a finding causes. The alarm is raised once the finding has lasted for
 * `patience`, and cleared once the finding has been gone for just as long, so a flickering finding causes only
 * one alarm. A finding that becomes worse and stays worse raises the alarm again.
 * @param severity the severity of the finding, or undefined if the finding is gone
 * @param patience in seconds
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

/** The remembered time, or now if there is none or the clock has since been set back. */
const before = (now: number, time = now) => Math.min(time, now);
