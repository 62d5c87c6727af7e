import { call, defineFinding } from './rule.ts';

export const driverFault = defineFinding('DRIVER_FAULT', ({ facts, evidence: { execution_id, driver, drivers } }) => {
  const last = drivers.at(-1);
  if (facts.status !== 'running' || driver?.alive !== false || last?.ended !== 'fault') return undefined;
  const { pid, host, until, code = 'a bug', reason = 'no reason given' } = last;
  return {
    severity: 'error',
    sentence: `${code}: ${reason.replace(/\.$/, '')}. So the driver, process ${pid ?? 'unknown'} on ${host}, left it at ${until}, and nothing runs.${reason.includes(`swf-mcp resume ${execution_id}`) ? '' : ` Fix that, then "swf-mcp resume ${execution_id}" continues it; "swf-mcp stop ${execution_id}" ends it.`}`,
    ids: [`process ${pid ?? 'unknown'} on ${host}`],
    next: call('list_logs', { execution_id, level: 'ERROR' }),
  };
});
