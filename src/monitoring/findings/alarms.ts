import { type AlarmSeverity, maxNote } from '../../domain/logbook-words.ts';
import { sha256 } from '../../lib/sha256.ts';
import type { Finding } from './rule.ts';

/** A finding must last this long before it raises an alarm, and must be gone this long before that is over. Seconds. */
export const usualPatience: Readonly<Record<AlarmSeverity, number>> = { warning: 30, error: 10 };

/** A finding as an alarm tells it. */
export interface AlarmFinding {
  code: string;
  /** The execution, and `:` with the slice, file, worker or host where the finding has one. */
  subject: string;
  severity: AlarmSeverity;
  sentence: string;
}

/** The findings of an execution that raise alarms; of one code and subject the worst. Findings of severity `info` raise none. */
export function alarmFindings(executionId: string, findings: readonly Finding[]): AlarmFinding[] {
  const found = new Map<string, AlarmFinding>();
  for (const { code, severity, sentence, about } of findings) {
    const subject = about === undefined ? executionId : `${executionId}:${named(about)}`;
    const alarmId = `${code}/${subject}`;
    // Findings come with the worst first.
    if (severity !== 'info' && !found.has(alarmId))
      found.set(alarmId, { code, subject, severity, sentence: cut(sentence, maxNote) });
  }
  return [...found.values()];
}

const longestName = 200;

/** The beginning of a text, without half a character at its end. */
const cut = (text: string, most: number): string => text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');

/** A name that a program gave itself may be of any length: a long one is told apart by its digest. */
function named(name: string): string {
  if (name.length <= longestName) return name;
  const digest = sha256().update(name).digest('hex').slice(0, 8);
  return `${cut(name, longestName)}…${digest}`;
}

/** How an alarm stands, and since when its finding has said something else. Milliseconds since 1970. */
export interface AlarmStanding {
  /** The severity with which it was raised; undefined while it is not. */
  raised?: AlarmSeverity | undefined;
  /** Since when the finding is there, or is worse, where no alarm was raised of that. */
  found?: number | undefined;
  /** Since when it is gone, where the alarm is not over. */
  gone?: number | undefined;
}

/** The outcome of one look: the messages to record, and the times to remember until the next look. */
export interface AlarmStep {
  changes: ('raised' | 'cleared')[];
  found?: number;
  gone?: number;
}

/**
 * The change that a look at a finding makes. An alarm is raised when it has lasted, and over when it has been gone as long, so one that flickers is one alarm. One that stays
 * worse is raised anew.
 * @param severity of the finding; undefined where it is not there
 * @param patience seconds
 */
export function alarmStep(
  { raised, found, gone }: AlarmStanding,
  severity: AlarmSeverity | undefined,
  { now, patience }: { now: number; patience: number },
): AlarmStep {
  const lasted = (since: number): boolean => now - since >= patience * 1000;
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

/** A time that was remembered; now, where there is none, or where the clock was set back since. */
const before = (now: number, time = now): number => Math.min(time, now);
