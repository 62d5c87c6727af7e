import { shortDigests } from '../../lib/short-digests.ts';
import { call, defineDrivenFinding } from './rule.ts';

/** The words for each reason. */
const lacks: Readonly<Record<string, string>> = {
  NO_PAYLOAD: 'lacks the payload',
  NO_FILE: 'cannot reach the files below',
  WRONG_FILE: 'has another copy of',
};

/** An agent is heard but leaves work of this execution to others. Other findings report work that nobody can do. */
export const workerOffDuty = defineDrivenFinding('WORKER_OFF_DUTY', ({ evidence: { off_duty, unfit, unanswered } }) => {
  const isTold = ({ agent, reason, kind }: (typeof off_duty)[number]): boolean =>
    unfit.some((slices) => slices.reason === reason && slices.kind === kind) ||
    unanswered.some((files) => files.off_duty?.agent === agent);
  return off_duty
    .filter((one) => !isTold(one))
    .map(({ agent, agent_type, hostname, slots, reason, kind, since, detail }) => ({
      severity: 'warning' as const,
      sentence: shortDigests(
        `${agent} on ${hostname}: ${detail ?? `it ${lacks[reason] ?? reason} ${kind}`}. ${agent_type === 'worker' ? `Its ${slots ?? 'unknown number of'} slots take no such slices` : 'It leaves such STF files to others'}${since === undefined ? '' : ` since ${since}`}; it looks every 30 s whether it can again.`,
      ),
      ids: [agent, hostname],
      about: agent,
      next: call('list_agents', { agent_type }),
    }));
});
