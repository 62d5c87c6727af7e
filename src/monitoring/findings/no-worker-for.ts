import { counted } from '../../lib/counted.ts';
import { shortDigests } from '../../lib/short-digests.ts';
import { call, defineDrivenFinding } from './rule.ts';

/** Longest reason shown, in characters. */
const shownDetail = 400;

/** Slices wait, and none of the workers heard can do them. */
export const noWorkerFor = defineDrivenFinding('NO_WORKER_FOR', ({ evidence: { unfit } }) =>
  unfit.map(({ reason, kind, slices, agent, hostname, others, detail }) => ({
    severity: 'error' as const,
    sentence: shortDigests(
      `${agent} on ${hostname}: ${(detail ?? `${reason} ${kind}`).slice(0, shownDetail)}. So ${counted(slices, 'TF slice')} ${slices === 1 ? 'waits' : 'wait'}${others === 0 ? ', and no other worker is heard' : `: none of the ${others + 1} workers that are heard can do them`}.`,
    ),
    ids: [reason, kind],
    about: kind,
    next: call('list_agents', { agent_type: 'worker' }),
  })),
);
