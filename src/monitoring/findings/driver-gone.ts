import { pauseSentence } from './paused.ts';
import { call, defineFinding } from './rule.ts';

export const driverGone = defineFinding('DRIVER_GONE', ({ facts, evidence }) => {
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
