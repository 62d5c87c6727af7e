import { counted } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { claimedName, clause } from '../../lib/words.ts';
import type { Evidence } from '../evidence.ts';
import { downSeconds, driverGaps } from '../facts.ts';
import { type Situation, call, type FindingRule, here, ifDriven, rulesOf, error, info, warning } from './rule.ts';

/** A sentence about who paused an execution, when and why. */
const pauseSentence = (by: Evidence['paused_by']) =>
  by === undefined
    ? 'An operator paused it'
    : `${claimedName(by.name, by.sent_by)} paused it at ${by.time}${clause(' (', by.reason, ')')}`;

/** Stands in for the code of a fault that has none. */
const internalError = 'Internal error';

/** After this many resumes without anything new, a service no longer resumes an execution. */
export const maxTakeUps = 3;

/** If `maxTakeUps` drivers fail within this many seconds, their failures are always reported. */
const oftenSeconds = 60;

/**
 * Drivers fail one after another, for example because of a full disk, although workers' messages are still
 * recorded.
 */
function failsOften({ now, drivers }: Situation) {
  const failed = drivers.filter(
    ({ ended, until }) => ended === 'fault' && (now - Date.parse(until ?? '')) / 1000 <= oftenSeconds,
  );
  if (failed.length < maxTakeUps) return undefined;
  const { code = internalError, reason = 'no reason given' } = failed.at(-1) ?? {};
  return error(
    `${code}: ${reason}. ${failed.length} drivers failed within ${oftenSeconds} s while worker results kept arriving, so the service keeps resuming the execution. Fix the cause.`,
    here('get_workflow_monitor'),
  );
}

export const driverRules: readonly FindingRule[] = [
  ...rulesOf('driving', {
    DRIVER_FAULT: (facts) => {
      const { execution_id, process, drivers } = facts;
      const last = drivers.at(-1);
      if (facts.status !== 'running' || process?.alive !== false || last?.ended !== 'fault') return undefined;
      const { pid, host, until, code = internalError, reason = 'no reason given' } = last;
      const driver = `${pid === undefined ? 'an unknown process' : `process ${pid}`} on ${host}`;
      return error(
        `${code}: ${reason.replace(/\.$/, '')}. The driver, ${driver}, gave up at ${until}, and nothing is running.${reason.includes(`swf-mcp resume ${execution_id}`) ? '' : ` Fix the cause; then "swf-mcp resume ${execution_id}" continues the run, and "swf-mcp stop ${execution_id}" ends it.`}`,
        here('list_logs', { level: 'ERROR' }),
        [driver],
      );
    },

    DRIVER_GONE: (facts) => {
      const { execution_id, process, drivers, paused_by } = facts;
      const last = drivers.at(-1);
      // For a driver that reported why it failed, there is a separate finding.
      if (facts.status !== 'running' || process === undefined || process.alive || last?.ended === 'fault')
        return undefined;
      const who = `process ${process.pid} on ${process.hostname}`;
      const how =
        last?.ended === 'interrupted'
          ? `was interrupted at ${last.until}`
          : `is gone (last heard from at ${process.last_sign})`;
      const held = facts.isHeld
        ? ` ${pauseSentence(paused_by)}; it stays paused until "swf-mcp continue ${execution_id}" is run.`
        : '';
      return error(
        `The driver, ${who}, ${how}, so nothing is running. ${facts.isOverBroker ? 'If a recorder service ("swf-mcp up") is running, it resumes the execution within ten seconds; otherwise run' : 'Run'} "swf-mcp resume ${execution_id}".${held}`,
        here('list_agents'),
        [who],
      );
    },

    DRIVER_SILENT: (facts) => {
      const { execution_id, process } = facts;
      if (facts.status !== 'running' || process === undefined || !process.alive || !process.silent) return undefined;
      const who = `process ${process.pid} on ${process.hostname}`;
      return error(
        `The driver, ${who}, is alive but has not been heard from since ${process.last_sign}: the process is suspended, or its machine is overloaded. Nothing is progressing. On that machine, "kill -CONT ${process.pid}" resumes a suspended process; otherwise end the process, and run "swf-mcp resume ${execution_id}".`,
        here('list_agents'),
        [who],
      );
    },

    STOP_PENDING: (facts) => {
      const { execution_id, pending_stop, process, isOverBroker } = facts;
      if (facts.status !== 'running' || pending_stop === undefined) return undefined;
      const why = clause(' (', pending_stop.reason, ')');
      const waits =
        process?.alive === true
          ? `process ${process.pid} on ${process.hostname} has not acted on it`
          : `no process drives the execution. "swf-mcp stop ${execution_id}" ends it; "swf-mcp resume ${execution_id}" drops the stop request${isOverBroker ? ', whereas a recorder service would carry it out' : ''}`;
      return warning(
        `${pending_stop.name} requested a stop at ${pending_stop.time}${why}, which has had no effect yet: ${waits}.`,
        here('list_messages', { message_type: 'stop_workflow' }),
      );
    },

    PAUSED: (facts) => {
      const { execution_id, paused_by, status, phase, isHeld, driver } = facts;
      const isAnswering = driver === undefined || (driver.alive && !driver.silent);
      if (status !== 'running' || !isHeld || !isAnswering) return undefined;
      // In phase `standby`, the pause is the phase, so the phase is not named.
      const where = phase === 'standby' ? '' : ` in phase ${phase}`;
      return info(
        `${pauseSentence(paused_by)}${where}; continue it with "swf-mcp continue ${execution_id}".`,
        here('list_messages', { message_type: 'pause_workflow' }),
        [execution_id],
      );
    },

    /** Another process resumed the execution after the previous driver was gone. */
    TAKEN_UP: ({ drivers: all, begun_again, stopped_by, pending_stop }) => {
      const stop = stopped_by ?? pending_stop;
      // A driver that starts after a stop was requested only ends the execution.
      const drivers = all.filter(({ since }) => stop === undefined || since < stop.time);
      const gaps = driverGaps(drivers);
      const last = gaps.at(-1);
      if (last === undefined) return undefined;
      const again = begun_again === 0 ? '' : ` ${counted(begun_again, 'slice')} had to be started again.`;
      // The first driver started the execution, so it is not counted as a resume.
      const times = (drivers.at(-1)?.epoch ?? 1) - 1;
      return info(
        `It was taken over ${times === 1 ? 'once,' : `${times} times, last`} by ${last.by} at ${last.to}, after ${times > gaps.length ? 'at least ' : ''}${roundDuration(downSeconds(gaps))} without a driver.${again}`,
        here('list_messages', { message_type: 'driver_started' }),
      );
    },

    PAYLOAD_CHANGED: ({ payload_change: change }) =>
      change &&
      info(
        `When the execution was resumed at ${change.at}, the payload changed from ${change.before} to ${change.now}, so the results may come from more than one program. Slices sent before then name the earlier payload, whichever processed them.`,
        here('list_logs', { level: 'WARNING' }),
      ),

    /**
     * A service has given up on an execution whose drivers achieved nothing, or keeps resuming one whose
     * drivers fail while results still arrive.
     */
    TAKE_UP_FAILED: (situation) => {
      const isDriven = situation.process?.alive === true && situation.drivers.at(-1)?.until === undefined;
      if (situation.status !== 'running') return undefined;
      if (situation.take_ups < maxTakeUps || isDriven) return failsOften(situation);
      const { code, reason } = situation.drivers.findLast(({ ended }) => ended === 'fault') ?? {};
      const cause = reason === undefined ? 'Its drivers failed' : `${code ?? internalError}: ${reason}`;
      return error(
        `${cause}. The execution was resumed ${situation.take_ups} times within ten minutes, each time without success. Fix the cause, then run "swf-mcp resume ${situation.execution_id}"; otherwise the service tries again within ten minutes.`,
        here('get_workflow_monitor'),
      );
    },

    EXECUTION_FAILED: ({ status, status_reason, first_error }) => {
      if (status !== 'failed') return undefined;
      const first =
        first_error === undefined
          ? ''
          : `; the first error, at ${first_error.timestamp} by ${first_error.agent}: ${first_error.message}`;
      return error(
        `The workflow could not continue: ${status_reason ?? 'no reason given'}${first}`,
        here('list_logs', { level: 'WARNING', order: 'oldest' }),
        first_error === undefined ? [] : [first_error.agent],
      );
    },
  }),
  ...rulesOf(
    'driving',
    ifDriven({
      /** While the broker is unreachable, nothing arrives from other agents, and nothing reaches them. */
      BROKER_AWAY: ({ broker_away_since: since }) => {
        if (since === undefined) return undefined;
        return error(
          `Its recorder has received nothing from the broker since ${since}; what agents elsewhere are doing is not known. "swf-mcp doctor --broker URL" shows why; the run continues when the broker is back.`,
          call('list_logs', { level: 'WARNING' }),
        );
      },
    }),
  ),
];
