import { call, defineDrivenFinding } from './rule.ts';

/** A worker takes slices, but its work does not count: its build is too old, or it does not say whose slices they are. */
export const workerUseless = defineDrivenFinding('WORKER_USELESS', ({ evidence: { useless } }) =>
  useless.map(({ agent, hostname, unheard_since }) => ({
    severity: 'error' as const,
    sentence:
      unheard_since === undefined
        ? `${agent} on ${hostname} is of an earlier build, which also takes slices of other programs; its slots do not count here. End it, and install this version there.`
        : `${agent} on ${hostname} takes slices, and nothing that it has said of them has arrived since ${unheard_since}: it does not copy their header store_id. Its slices go to others; stop it, or fix it as docs/broker.md says.`,
    ids: [agent, hostname],
    about: agent,
    next: call('list_agents', { agent_type: 'worker' }),
  })),
);
