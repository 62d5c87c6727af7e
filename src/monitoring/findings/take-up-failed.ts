import { call, defineFinding, type Found, type Situation } from './rule.ts';

/** After this many resumes without anything new, an execution is left alone. */
export const maxTakeUps = 3;

/** `maxTakeUps` drivers that fail within this time are reported, whatever else goes on. Seconds. */
const oftenSeconds = 60;

/** A service has given up on an execution whose drivers achieved nothing, or resumes it again and again while results still come in. */
export const takeUpFailed = defineFinding('TAKE_UP_FAILED', (situation) => {
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
