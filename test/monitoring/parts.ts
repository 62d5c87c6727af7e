import type { AgentSeen, DriverSpan, OffDutyAgent } from '../../src/monitoring/evidence.ts';
import { ago } from './situation.ts';

/** Parts of situations, each with its usual values except those that a test gives. */

export const driver = (more: Partial<DriverSpan> = {}): DriverSpan => ({
  epoch: 1,
  since: ago(600),
  by: 'rita',
  pid: 4711,
  host: 'host-a',
  version: '0.1.0',
  speed: 1,
  ...more,
});
export const gone = { pid: 4711, hostname: 'host-a', last_sign: ago(40), alive: false, silent: true };
export const undriven = { driver: { alive: false, silent: true, since: ago(600) } };
export const agent = (more: Partial<AgentSeen> = {}): AgentSeen => ({
  agent_name: 'worker-agent-rita-5',
  hostname: 'host-b',
  state: 'READY',
  status: 'OK',
  last_heartbeat: ago(70),
  isRemote: true,
  clock_offset: null,
  ...more,
});
export const inHand = (seconds: number, slot = '07') => ({
  slice_filename: `swf.100010.000001_slice_0${slot}.tf`,
  assigned_worker: `worker-agent-rita-5/${slot}`,
  since: ago(seconds),
  attempt: 1,
  isLost: false,
});
export const stage = (
  name: 'daq_simulator' | 'data' | 'fastmon' | 'fast_processing' | 'worker',
  state: 'stuck' | 'slow',
) => ({
  stage: name,
  waiting: 3,
  idle_seconds: 42,
  expected_seconds: 2,
  state,
});

export const offDuty = (more: Partial<OffDutyAgent> = {}): OffDutyAgent => ({
  agent: 'worker-agent-rita-5',
  agent_type: 'worker',
  hostname: 'host-b',
  slots: 8,
  reason: 'NO_PAYLOAD',
  kind: 'recon.sh',
  since: ago(100),
  detail: undefined,
  ...more,
});
