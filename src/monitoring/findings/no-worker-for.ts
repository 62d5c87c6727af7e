import { shortDigests } from '../../lib/short-digests.ts';
import { defineFinding, isDriven } from './rule.ts';

/** As much of a reason as is told. */
const shownDetail = 400;

const needs: Readonly<Record<string, string>> = {
  NO_PAYLOAD: 'the payload',
  NO_FILE: 'the files below',
  WRONG_FILE: 'the right copy of',
};

/** Slices wait, workers are heard, and none of them can do them. */
export const noWorkerFor = defineFinding('NO_WORKER_FOR', ({ facts, evidence: { unfit } }) => {
  if (facts.status !== 'running' || !isDriven(facts)) return undefined;
  return unfit.map(({ reason, kind, slices, hostname, detail }) => ({
    severity: 'error' as const,
    sentence: shortDigests(
      `${(detail ?? reason).slice(0, shownDetail)} (${hostname}). So ${slices} TF slices wait: no worker that is heard has ${needs[reason] ?? reason} ${kind}. Give one what it lacks.`,
    ),
    ids: [reason, kind],
    next: { tool: 'list_agents', arguments: { agent_type: 'worker' } },
  }));
});
