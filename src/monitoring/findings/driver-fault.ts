import { defineFinding, logLines } from './rule.ts';

export const driverFault = defineFinding('DRIVER_FAULT', ({ facts, evidence: { execution_id, driver, drivers } }) => {
  const last = drivers.at(-1);
  if (facts.status !== 'running' || driver?.alive !== false || last?.ended !== 'fault') return undefined;
  const { pid, host, until, code = 'a bug', reason = 'no reason given' } = last;
  return {
    severity: 'error',
    sentence: `The driver, process ${pid} on ${host}, could not go on at ${until}. Mend the cause; then "swf-mcp resume ${execution_id}" goes on, or "swf-mcp stop" ends it. ${code}: ${reason}`,
    ids: [`process ${pid} on ${host}`],
    next: logLines(execution_id, { level: 'ERROR' }),
  };
});
