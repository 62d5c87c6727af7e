import type { Speed } from '../../domain/params.ts';
import { objectIn } from '../../lib/read-json.ts';
import { clause } from '../../lib/words.ts';
import type { DriverSpan } from '../../monitoring/evidence.ts';
import { driverTypes } from '../execution/start-message.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { nameOf, numberOf, typeNumbers } from '../migrations/names.ts';
import { isProcessAlive, lastSignOf, type LivenessTest, ownerOf } from '../presence/leases.ts';
import { keptAtRest } from '../sqlite/kept-answers.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';

interface DriverRow {
  type: (typeof driverTypes)[number];
  epoch: number;
  sent_at: string;
  body: string;
}

const maxDrivers = 50;

/**
 * The messages of the last drivers, newest first. They are found by type: an execution with many physics
 * periods has many landmarks, but few of these messages.
 */
function driverRows(sql: Prepare, executionId: string) {
  const rows = sql<DriverRow>(newestRows).all(executionId);
  return (type: DriverRow['type']) => rows.filter((row) => row.type === type).slice(0, maxDrivers);
}

const newestRows = `SELECT ${nameOf('type_no')} AS type, ${jsonField('body', 'epoch')} AS epoch, ${messageColumns.sent_at} AS sent_at, body
  FROM message_rows INDEXED BY message_rows_type
  WHERE execution_no = ${numberOf('?')} AND type_no IN ${typeNumbers(driverTypes)} AND effect = 'applied'
  ORDER BY seq DESC LIMIT ${driverTypes.length * maxDrivers}`;

interface Started extends Pick<DriverSpan, 'pid' | 'version' | 'speed'> {
  hostname: string;
  user: string;
  claimed_by?: unknown;
}

const unstated = { pid: undefined, hostname: 'unknown', user: 'unknown', version: 'unknown', speed: undefined };

/** Rows are read as recorded, so a damaged row yields unknown values. */
const startedIn = (body: string): Started => ({ ...unstated, ...objectIn(body) });

type Ended = Pick<DriverSpan, 'code' | 'reason'> & { cause: NonNullable<DriverSpan['ended']> };

const signs: Readonly<Record<string, string>> = { beat: 'heartbeat', message: 'message', log: 'log line' };

/** The end of a driver that vanished. @param sign the kind of the driver's last sign of life */
const lost = (sign = ''): Pick<DriverSpan, 'ended' | 'reason'> => ({
  ended: 'lost',
  reason: `it vanished without notice${clause('; its last sign of life was a ', signs[sign])}`,
});

/**
 * The last drivers of an execution, oldest first: who drove it, when each driver started, and when and how each
 * ended. For a driver whose process vanished without notice, the end is its last sign of life.
 */
export function driversOf(sql: Prepare, executionId: string, isAlive: LivenessTest): DriverSpan[] {
  const owner = ownerOf(sql, executionId);
  return keptAtRest(
    sql,
    recordedDrivers,
  )(executionId).map((span): DriverSpan => {
    if (span.until !== undefined || owner?.epoch !== span.epoch || isProcessAlive(owner, isAlive)) return span;
    const { at, by } = lastSignOf(sql, owner);
    return { ...span, until: at, ...lost(by) };
  });
}

/** The last drivers as recorded. A driver that vanished has no recorded end. */
function recordedDrivers(sql: Prepare, executionId: string): DriverSpan[] {
  const rowsOf = driverRows(sql, executionId);
  const ended = rowsOf('driver_ended');
  const losses = rowsOf('driver_lost');
  return rowsOf('driver_started')
    .toReversed()
    .map(({ epoch, sent_at, body }): DriverSpan => {
      const { pid, hostname, user, version, speed, claimed_by } = startedIn(body);
      const claimed = typeof claimed_by === 'string' ? { claimed_by } : {};
      const self = { epoch, since: sent_at, by: user, ...claimed, pid, host: hostname, version, speed };
      const end = ended.find((row) => row.epoch === epoch);
      if (end !== undefined) {
        const { cause, code, reason } = objectIn(end.body) as unknown as Ended;
        return { ...self, until: end.sent_at, ended: cause, code, reason };
      }
      const loss = losses.find((row) => row.epoch === epoch);
      if (loss === undefined) return self;
      const { last_sign, last_sign_by } = objectIn(loss.body) as { last_sign?: string; last_sign_by?: string };
      return { ...self, ...(last_sign === undefined ? {} : { until: last_sign }), ...lost(last_sign_by) };
    });
}

/**
 * The last speed that an execution's drivers reported (undefined if they reported none), and whether they had
 * reported a different one before.
 */
export function speedsOf(sql: Prepare, executionId: string): { current: Speed | undefined; hasChanged: boolean } {
  const speeds = driverRows(
    sql,
    executionId,
  )('driver_started')
    .map(({ body }) => startedIn(body).speed)
    .filter((speed) => speed !== undefined);
  const [current] = speeds;
  return { current, hasChanged: speeds.some((speed) => speed !== current) };
}
