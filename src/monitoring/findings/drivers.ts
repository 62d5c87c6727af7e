import { counted } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { claimedName } from '../../lib/words.ts';
import { downSeconds, driverGaps } from '../driver-gaps.ts';
import type { Evidence } from '../evidence.ts';
import { type Found, type Situation, call, defineDrivenFinding, defineFinding } from './rule.ts';

export const driverFault = defineFinding(
  'DRIVER_FAULT',
  'driving',
  ({ facts, evidence: { execution_id, driver, drivers } }) => {
    const last = drivers.at(-1);
    if (facts.status !== 'running' || driver?.alive !== false || last?.ended !== 'fault') return undefined;
    const { pid, host, until, code = 'a bug', reason = 'no reason given' } = last;
    return {
      severity: 'error',
      sentence: `${code}: ${reason.replace(/\.$/, '')}. So the driver, process ${pid ?? 'unknown'} on ${host}, left it at ${until}, and nothing runs.${reason.includes(`swf-mcp resume ${execution_id}`) ? '' : ` Fix that, then "swf-mcp resume ${execution_id}" continues it; "swf-mcp stop ${execution_id}" ends it.`}`,
      ids: [`process ${pid ?? 'unknown'} on ${host}`],
      next: call('list_logs', { execution_id, level: 'ERROR' }),
    };
  },
);

export const driverGone = defineFinding('DRIVER_GONE', 'driving', ({ facts, evidence }) => {
  const { execution_id, driver, drivers, paused_by } = evidence;
  const last = drivers.at(-1);
  // A driver that said why it failed has its own finding.
  if (facts.status !== 'running' || driver === undefined || driver.alive || last?.ended === 'fault') return undefined;
  const who = `process ${driver.pid} on ${driver.hostname}`;
  const how =
    last?.ended === 'interrupted' ? `was interrupted at ${last.until}` : `is gone, last heard ${driver.last_sign}`;
  const held = facts.isHeld
    ? ` ${pauseSentence(paused_by)}; it stays paused until "swf-mcp continue ${execution_id}".`
    : '';
  return {
    severity: 'error',
    sentence: `The driver, ${who}, ${how}, so nothing runs. ${facts.isOverBroker ? 'A recorder service takes it up within ten seconds, where one is kept by "swf-mcp up"; otherwise run' : 'Run'} "swf-mcp resume ${execution_id}".${held}`,
    ids: [who],
    next: call('list_agents', { execution_id }),
  };
});

export const driverSilent = defineFinding(
  'DRIVER_SILENT',
  'driving',
  ({ facts, evidence: { execution_id, driver } }) => {
    if (facts.status !== 'running' || driver === undefined || !driver.alive || !driver.silent) return undefined;
    const who = `process ${driver.pid} on ${driver.hostname}`;
    return {
      severity: 'error',
      sentence: `The driver, ${who}, lives but has not been heard since ${driver.last_sign}: the process is suspended, or its machine is overloaded. Nothing goes on. "kill -CONT ${driver.pid}" there wakes a suspended one; otherwise end it, and run "swf-mcp resume ${execution_id}".`,
      ids: [who],
      next: call('list_agents', { execution_id }),
    };
  },
);

/** While the broker is away, nobody else is heard and nothing reaches them. */
export const brokerAway = defineDrivenFinding('BROKER_AWAY', ({ facts: { broker_away_since: since } }) => {
  if (since === undefined) return undefined;
  return {
    severity: 'error',
    sentence: `Its recorder has heard nothing from the broker since ${since}; what agents elsewhere do meanwhile is not known. "swf-mcp doctor --broker URL" says why; it goes on when the broker is back.`,
    next: call('list_logs', { level: 'WARNING' }),
  };
});

export const stopPending = defineFinding('STOP_PENDING', 'driving', ({ facts, evidence }) => {
  const { execution_id, pending_stop, driver } = evidence;
  if (facts.status !== 'running' || pending_stop === undefined) return undefined;
  const { name, time, reason } = pending_stop;
  const why = reason === undefined ? '' : ` (${reason})`;
  const waits =
    driver?.alive === true
      ? `process ${driver.pid} on ${driver.hostname} has not taken it up`
      : 'no process drives the execution that could take it up';
  return {
    severity: 'warning',
    sentence: `${name} asked for a stop at ${time}${why}, and it has had no effect yet: ${waits}.`,
    next: call('list_messages', { execution_id, message_type: 'stop_workflow' }),
  };
});

/** Says who paused an execution, when and why. */
const pauseSentence = (by: Evidence['paused_by']): string =>
  by === undefined
    ? 'An operator paused it'
    : `${claimedName(by.name, by.sent_by)} paused it at ${by.time}${by.reason === undefined ? '' : ` (${by.reason})`}`;

export const paused = defineFinding('PAUSED', 'driving', ({ facts, evidence: { execution_id, paused_by } }) => {
  const { status, phase, isHeld, driver } = facts;
  const isAnswering = driver === undefined || (driver.alive && !driver.silent);
  if (status !== 'running' || !isHeld || !isAnswering) return undefined;
  // A pause between two periods is the standby itself.
  const where = phase === 'standby' ? '' : ` in phase ${phase}`;
  return {
    severity: 'info',
    sentence: `${pauseSentence(paused_by)}${where}; "swf-mcp continue ${execution_id}" lets it go on.`,
    ids: [execution_id],
    next: call('list_messages', { execution_id, message_type: 'pause_workflow' }),
  };
});

/** Another process took it over, to go on or to end it, after the previous one was gone. */
export const takenUp = defineFinding('TAKEN_UP', 'driving', ({ evidence: { execution_id, drivers, begun_again } }) => {
  const gaps = driverGaps(drivers);
  const last = gaps.at(-1);
  if (last === undefined) return undefined;
  const again = begun_again === 0 ? '' : ` ${counted(begun_again, 'slice')} had to be started again.`;
  // The first driver is the start itself.
  const times = (drivers.at(-1)?.epoch ?? 1) - 1;
  return {
    severity: 'info',
    sentence: `It was taken over ${times === 1 ? 'once' : `${times} times`}, last by ${last.by} at ${last.to}, after ${times > gaps.length ? 'at least ' : ''}${roundDuration(downSeconds(gaps))} without a driver.${again}`,
    next: call('list_messages', { execution_id, message_type: 'driver_started' }),
  };
});

/** After this many resumes without anything new, an execution is left alone. */
export const maxTakeUps = 3;

/** `maxTakeUps` drivers that fail within this time are reported, whatever else goes on. Seconds. */
const oftenSeconds = 60;

/** A service has given up on an execution whose drivers achieved nothing, or resumes it again and again while results still come in. */
export const takeUpFailed = defineFinding('TAKE_UP_FAILED', 'driving', (situation) => {
  const { execution_id, take_ups, driver, drivers } = situation.evidence;
  const isDriven = driver?.alive === true && drivers.at(-1)?.until === undefined;
  if (situation.facts.status !== 'running') return undefined;
  if (take_ups < maxTakeUps || isDriven) return failsOften(situation);
  const { code, reason } = drivers.findLast(({ ended }) => ended === 'fault') ?? {};
  const cause = reason === undefined ? 'Its drivers came to nothing' : `${code ?? 'a bug'}: ${reason}`;
  return {
    severity: 'error',
    sentence: `${cause}. It was taken up ${take_ups} times within ten minutes, each time in vain. Fix that, then run "swf-mcp resume ${execution_id}"; otherwise the service tries again ten minutes after the last time.`,
    next: call('get_workflow_monitor', { execution_id }),
  };
});

/** Drivers fail one after the other although messages of workers are recorded, such as on a full disk. */
function failsOften({ facts: { now }, evidence: { drivers, execution_id } }: Situation): Found | undefined {
  const failed = drivers.filter(
    ({ ended, until }) => ended === 'fault' && (now - Date.parse(until ?? '')) / 1000 <= oftenSeconds,
  );
  if (failed.length < maxTakeUps) return undefined;
  const { code = 'a bug', reason = 'no reason given' } = failed.at(-1) ?? {};
  return {
    severity: 'error',
    sentence: `${code}: ${reason}. So ${failed.length} drivers have failed within ${oftenSeconds} s, though results of workers are recorded meanwhile. Fix that: the service goes on trying.`,
    next: call('get_workflow_monitor', { execution_id }),
  };
}

export const executionFailed = defineFinding('EXECUTION_FAILED', 'driving', ({ facts: { status }, evidence }) => {
  if (status !== 'failed') return undefined;
  const { execution_id, status_reason, first_error } = evidence;
  const first =
    first_error === undefined
      ? ''
      : `; the first error, at ${first_error.timestamp} by ${first_error.agent}: ${first_error.message}`;
  return {
    severity: 'error',
    sentence: `The workflow could not go on: ${status_reason ?? 'no reason given'}${first}`,
    ids: first_error === undefined ? [] : [first_error.agent],
    next: call('list_logs', { execution_id, level: 'WARNING', order: 'oldest' }),
  };
});
