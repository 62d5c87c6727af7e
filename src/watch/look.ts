import { isExecution } from '../db/log/rows.ts';
import { alarmOf, type AlarmRow, noteSentence, openAlarms } from '../db/logbook/alarms.ts';
import { contentOf, recordEntry } from '../db/logbook/entries.ts';
import {
  candidates,
  dropCandidate,
  endedExecution,
  isWatcher,
  keepCandidate,
  noteLook,
} from '../db/logbook/watching.ts';
import type { Store } from '../db/opening/store.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { type AlarmFinding, alarmStep, usualPatience } from '../monitoring/findings/alarms.ts';

/** The sender that raises and clears alarms. */
const sender = 'watch';

/** The findings of one check, by execution, except for executions that could not be examined. */
type Found = ReadonlyMap<string, readonly AlarmFinding[]>;

interface Situation {
  found: Found;
  now: number;
  /** By code: how many seconds a finding must last, where that differs from the usual time. */
  after: Readonly<Record<string, number>>;
}

/**
 * Decides the changes that a check makes to the open alarms and the candidates: the next step of each
 * alarm, with its finding if that still exists.
 */
function decide(store: Pick<Store, 'sql'>, { found, now, after }: Situation) {
  const open = new Map(openAlarms(store.sql).map((alarm) => [alarm.alarm_id, alarm]));
  const waiting = new Map(candidates(store.sql).map((one) => [one.alarm_id, one]));
  // An execution may have been removed since the check.
  const there = [...found].filter(([execution_id]) => isExecution(store.sql, execution_id));
  return there.flatMap(([execution_id, findings]) => {
    const ended = endedExecution(store.sql, execution_id);
    const ofExecution = (one: { execution_id: string | null }) => one.execution_id === execution_id;
    const byId = new Map(findings.map((finding) => [`${finding.code}/${finding.subject}`, finding]));
    const ids = new Set([
      ...byId.keys(),
      ...[...open.values()].filter(ofExecution).map((alarm) => alarm.alarm_id),
      ...[...waiting.values()].filter(ofExecution).map((one) => one.alarm_id),
    ]);
    return [...ids].map((alarm_id) => {
      const alarm = open.get(alarm_id);
      const isDealtWith = isAcknowledged(alarm ?? alarmOf(store.sql, alarm_id), ended);
      const finding = isDealtWith ? undefined : byId.get(alarm_id);
      const candidate = waiting.get(alarm_id);
      const standing = {
        raised: alarm?.severity,
        found: candidate?.found_ms ?? undefined,
        gone: candidate?.gone_ms ?? undefined,
      };
      const severity = finding?.severity ?? alarm?.severity ?? 'warning';
      const patience = isDealtWith ? 0 : patienceOf(alarm_id, severity, after);
      return { alarm_id, execution_id, finding, step: alarmStep(standing, finding?.severity, { now, patience }) };
    });
  });
}

/** How many seconds a finding must last to raise its alarm, or be gone to clear it. */
const patienceOf = (alarmId: string, severity: AlarmFinding['severity'], after: Situation['after']) =>
  after[alarmId.slice(0, alarmId.indexOf('/'))] ?? usualPatience[severity];

/**
 * Whether a person knows about the alarm of an ended execution: that is, a person has judged the run or
 * acknowledged the alarm. That suffices, since an ended execution no longer changes.
 */
function isAcknowledged(alarm: AlarmRow | undefined, ended: ReturnType<typeof endedExecution>) {
  if (ended === undefined) return false;
  if (ended.isJudged) return true;
  if (alarm === undefined || alarm.seen_by === null) return false;
  // If the alarm was cleared before the execution ended, the finding may have recurred.
  return alarm.state !== 'cleared' || (alarm.cleared_at ?? '') >= (ended.end_time ?? '');
}

/**
 * Records the findings of a check in one transaction. Returns a line for each change; undefined if another
 * process is now watching.
 */
export const recordLook = (store: Store, processId: number, situation: Situation) =>
  store.write((tx) => {
    if (!isWatcher(tx.sql, processId)) return undefined;
    const lines = decide(store, situation).flatMap((decision) => carryOut(store, tx, decision));
    noteLook(tx, situation.now);
    return lines;
  });

function carryOut(store: Store, tx: Transaction, decision: ReturnType<typeof decide>[number]) {
  const { alarm_id, execution_id, finding, step } = decision;
  const { changes, found, gone } = step;
  if (finding !== undefined) noteSentence(tx, alarm_id, finding.sentence);
  if (found === undefined && gone === undefined) dropCandidate(tx, alarm_id);
  else keepCandidate(tx, { alarm_id, execution_id, found_ms: found ?? null, gone_ms: gone ?? null });
  return changes.flatMap((change) => {
    const before = alarmOf(tx.sql, alarm_id);
    const by = { execution_id, sender };
    if (change === 'cleared') {
      const content = contentOf(before as AlarmRow);
      const { effect } = recordEntry(store, tx, { msg_type: 'alarm_cleared', ...content }, by);
      return effect === 'applied' ? [`cleared ${alarm_id}`] : [];
    }
    const content = { ...(finding as AlarmFinding), count: (before?.count ?? 0) + 1 };
    const { effect } = recordEntry(store, tx, { msg_type: 'alarm_raised', ...content }, by);
    return effect === 'applied' ? [`raised ${content.severity} ${alarm_id}: ${content.sentence}`] : [];
  });
}
