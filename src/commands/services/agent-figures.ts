import { schemaHistory } from '../../db/migrations/index.ts';
import { newestVersion } from '../../db/opening/schema-version.ts';
import { stepBounds, type Traffic } from '../../exchange/traffic.ts';
import { agentMetricsText } from '../../http/agent-metrics.ts';
import type { RunningAgent } from '../../remote/running-agent.ts';

/** The figures of the process of an agent as Prometheus reads them. @param agent undefined until it has begun */
export function agentFigures(version: string, traffic: Traffic, agent: RunningAgent | undefined): string {
  const { sent, received, refused, steps } = traffic;
  const { unsent, behind, slots, offDuty } = agent?.figures() ?? {
    unsent: { count: 0, oldest: undefined },
    behind: {},
    slots: {},
    offDuty: {},
  };
  return agentMetricsText({
    version,
    schema: newestVersion(schemaHistory),
    isConnected: traffic.isConnected,
    reconnects: traffic.reconnects,
    sent,
    received,
    refused,
    unsent,
    behind,
    slots,
    offDuty,
    steps: { bounds: stepBounds, within: steps.within, count: steps.count, sum: steps.seconds },
  });
}
