import type { AgentHeartbeat } from '../../src/messages/telemetry.ts';

/** A heartbeat of an agent on another host. */
export const heartbeat = (
  agent_name: string,
  agent_type: AgentHeartbeat['agent_type'] = 'worker',
  more: Partial<AgentHeartbeat> = {},
): AgentHeartbeat => ({
  msg_type: 'agent_heartbeat',
  sender: agent_name,
  namespace: 'test',
  agent_name,
  agent_type,
  state: 'READY',
  in_hand: [],
  free_slots: 1,
  slots: 1,
  off_duty: [],
  hostname: 'elsewhere',
  pid: 4711,
  boot_id: 'boot',
  version: '1',
  wire: 2,
  since: '2026-01-01T00:00:00.000Z',
  ...more,
});
