import { counted } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { claimedName } from '../../lib/words.ts';
import type { Evidence } from '../evidence.ts';
import { downSeconds, driverGaps } from '../facts.ts';
import { type Found, type Situation, call, type FindingRule, here, ifDriven, rulesOf } from './rule.ts';

/** A sentence about who paused an execution, when and why. */
const pauseSentence = (by: Evidence['paused_by']) =>
  by === undefined
    ? 'An operator paused it'
    : `${claimedName(by.name, by.sent_by)} paused it at ${by.time}${by.reason === undefined ? '' : ` (${by.reason})`}`;

/** The code of a fault that has none. */
const internalError = 'Internal error';

/** After this many resumes without anything new, an execution is left alone. */
export const maxTakeUps = 3;

/** `maxTakeUps` drivers that fail within this time are reported, whatever else happens. Seconds. */
const oftenSeconds = 60;

/** Drivers fail one after the other although messages of workers are recorded, such as on a full disk. */
function failsOften({ now, drivers }: Situation): Found | undefined {
  const failed = drivers.filter(
    ({ ended, until }) => ended === 'fault' && (now - Date.parse(until ?? '')) / 1000 <= oftenSeconds,
  );
  if (failed.length < maxTakeUps) return undefined;
  const { code = internalError, reason = 'no reason given' } = failed.at(-1) ?? {};
  return {
    severity: 'error',
    sentence: `${code}: ${reason}. ${failed.length} drivers failed within ${oftenSeconds} s, although worker results were still arriving. Fix the cause: the service keeps trying.`,
    next: here('get_workflow_monitor'),
  };
}

export const driverRules: readonly FindingRule[] = [
  ...rulesOf('driving', {
    DRIVER_FAULT: (facts) => {
      const { execution_id, process, drivers } = facts;
      const last = drivers.at(-1);
      if (facts.status !== 'running' || process?.alive !== false || last?.ended !== 'fault') return undefined;
      const { pid, host, until, code = internalError, reason = 'no reason given' } = last;
      const driver = `${pid === undefined ? 'an unknown process' : `process ${pid}`} on ${host}`;
      return {
        severity: 'error',
        sentence: `${code}: ${reason.replace(/\.$/, '')}. The driver, ${driver}, gave up at ${until}, and nothing is running.${reason.includes(`swf-mcp resume ${execution_id}`) ? '' : ` Fix the cause; then "swf-mcp resume ${execution_id}" continues the run, and "swf-mcp stop ${execution_id}" ends it.`}`,
        ids: [driver],
        next: here('list_logs', { level: 'ERROR' }),
      };
    },

    DRIVER_GONE: (facts) => {
      const { execution_id, process, drivers, paused_by } = facts;
      const last = drivers.at(-1);
      // A driver that reported why it failed has its own finding.
      if (facts.status !== 'running' || process === undefined || process.alive || last?.ended === 'fault')
        return undefined;
      const who = `process ${process.pid} on ${process.hostname}`;
      const how =
        last?.ended === 'interrupted'
          ? `was interrupted at ${last.until}`
          : `is gone, last heard from at ${process.last_sign}`;
      const held = facts.isHeld
        ? ` ${pauseSentence(paused_by)}; it stays paused until "swf-mcp continue ${execution_id}".`
        : '';
      return {
        severity: 'error',
        sentence: `The driver, ${who}, ${how}, so nothing is running. ${facts.isOverBroker ? 'A recorder service ("swf-mcp up") resumes it within ten seconds if one is running; otherwise run' : 'Run'} "swf-mcp resume ${execution_id}".${held}`,
        ids: [who],
        next: here('list_agents'),
      };
    },

    DRIVER_SILENT: (facts) => {
      const { execution_id, process } = facts;
      if (facts.status !== 'running' || process === undefined || !process.alive || !process.silent) return undefined;
      const who = `process ${process.pid} on ${process.hostname}`;
      return {
        severity: 'error',
        sentence: `The driver, ${who}, is alive but has not been heard from since ${process.last_sign}: the process is suspended, or its machine is overloaded. Nothing is progressing. "kill -CONT ${process.pid}" there resumes a suspended one; otherwise end it, and run "swf-mcp resume ${execution_id}".`,
        ids: [who],
        next: here('list_agents'),
      };
    },

    STOP_PENDING: (facts) => {
      const { execution_id, pending_stop, process, isOverBroker } = facts;
      if (facts.status !== 'running' || pending_stop === undefined) return undefined;
      const { name, time, reason } = pending_stop;
      const why = reason === undefined ? '' : ` (${reason})`;
      const waits =
        process?.alive === true
          ? `process ${process.pid} on ${process.hostname} has not acted on it`
          : `no process drives the execution. "swf-mcp stop ${execution_id}" ends it; "swf-mcp resume ${execution_id}" drops the request${isOverBroker ? ', and a recorder service carries it out' : ''}`;
      return {
        severity: 'warning',
        sentence: `${name} requested a stop at ${time}${why}, which has had no effect yet: ${waits}.`,
        next: here('list_messages', { message_type: 'stop_workflow' }),
      };
    },

    PAUSED: (facts) => {
      const { execution_id, paused_by, status, phase, isHeld, driver } = facts;
      const isAnswering = driver === undefined || (driver.alive && !driver.silent);
      if (status !== 'running' || !isHeld || !isAnswering) return undefined;
      // A pause between two periods is the standby itself.
      const where = phase === 'standby' ? '' : ` in phase ${phase}`;
      return {
        severity: 'info',
        sentence: `${pauseSentence(paused_by)}${where}; continue it with "swf-mcp continue ${execution_id}".`,
        ids: [execution_id],
        next: here('list_messages', { message_type: 'pause_workflow' }),
      };
    },

    /** Another process took it over after the previous one was gone. */
    TAKEN_UP: ({ drivers: all, begun_again, stopped_by, pending_stop }) => {
      const stop = stopped_by ?? pending_stop;
      // A driver that starts after the request to stop only ends it.
      const drivers = all.filter(({ since }) => stop === undefined || since < stop.time);
      const gaps = driverGaps(drivers);
      const last = gaps.at(-1);
      if (last === undefined) return undefined;
      const again = begun_again === 0 ? '' : ` ${counted(begun_again, 'slice')} had to be started again.`;
      // The first driver is the start itself.
      const times = (drivers.at(-1)?.epoch ?? 1) - 1;
      return {
        severity: 'info',
        sentence: `It was taken over ${times === 1 ? 'once,' : `${times} times, last`} by ${last.by} at ${last.to}, after ${times > gaps.length ? 'at least ' : ''}${roundDuration(downSeconds(gaps))} without a driver.${again}`,
        next: here('list_messages', { message_type: 'driver_started' }),
      };
    },

    /**
     * A service has given up on an execution whose drivers achieved nothing, or keeps resuming it while
     * results still arrive.
     */
    TAKE_UP_FAILED: (situation) => {
      const { execution_id, take_ups, process, drivers } = situation;
      const isDriven = process?.alive === true && drivers.at(-1)?.until === undefined;
      if (situation.status !== 'running') return undefined;
      if (take_ups < maxTakeUps || isDriven) return failsOften(situation);
      const { code, reason } = drivers.findLast(({ ended }) => ended === 'fault') ?? {};
      const cause = reason === undefined ? 'Its drivers failed' : `${code ?? internalError}: ${reason}`;
      return {
        severity: 'error',
        sentence: `${cause}. It was resumed ${take_ups} times within ten minutes, each time without success. Fix the cause, then run "swf-mcp resume ${execution_id}"; otherwise the service tries again ten minutes after the last attempt.`,
        next: here('get_workflow_monitor'),
      };
    },

    EXECUTION_FAILED: ({ status, status_reason, first_error }) => {
      if (status !== 'failed') return undefined;
      const first =
        first_error === undefined
          ? ''
          : `; the first error, at ${first_error.timestamp} by ${first_error.agent}: ${first_error.message}`;
      return {
        severity: 'error',
        sentence: `The workflow could not continue: ${status_reason ?? 'no reason given'}${first}`,
        ids: first_error === undefined ? [] : [first_error.agent],
        next: here('list_logs', { level: 'WARNING', order: 'oldest' }),
      };
    },
  }),
  ...rulesOf(
    'driving',
    ifDriven({
      /** While the broker is away, no other agent is heard and nothing reaches them. */
      BROKER_AWAY: ({ broker_away_since: since }) => {
        if (since === undefined) return undefined;
        return {
          severity: 'error',
          sentence: `Its recorder has received nothing from the broker since ${since}; what agents elsewhere are doing is not known. "swf-mcp doctor --broker URL" shows why; the run continues when the broker is back.`,
          next: call('list_logs', { level: 'WARNING' }),
        };
      },
    }),
  ),
];
