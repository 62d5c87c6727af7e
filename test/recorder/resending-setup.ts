import { onTestFinished, vi } from 'vitest';

import { createAgentDirectory, type Report } from '../../src/exchange/agent-directory.ts';
import type { OffDuty } from '../../src/messages/telemetry.ts';
import { createResending } from '../../src/recorder/resending.ts';
import { makeRunningStore, type TestStore } from '../helpers.ts';
import { stopTime, turns } from '../still-time.ts';
import { driven, saySample, takeUnsent } from './driven.ts';
import { execution_id } from './setup.ts';

export interface Resent {
  made: TestStore;
  resending: ReturnType<typeof createResending>;
  /** The agents that are heard each second. */
  heard: Map<string, Report>;
  /** The messages sent again, with their times in seconds since the fixture was made. */
  sent: [second: number, messageId: string][];
  lost: string[];
  warnings: string[];
  faults: unknown[];
  /** Lets time pass while the agents are heard. */
  wait: (seconds: number) => Promise<void>;
}

export const agent = (agent_type: Report['agent_type'], more: Partial<Report> = {}): Report => ({
  agent_type,
  in_hand: [],
  free_slots: 1,
  off_duty: [],
  ...more,
});

export const offDuty = (reason: string, name: string): { off_duty: OffDuty[] } => ({ off_duty: [{ reason, name }] });

/** A recorder's resending, in a store with one sample of a running execution that it drives. */
export async function resend(params: Record<string, unknown> = {}): Promise<Resent> {
  stopTime();
  const made = await makeRunningStore(params);
  await saySample(made);
  const directory = createAgentDirectory();
  const heard = new Map<string, Report>();
  const [sent, lost, warnings, faults] = [[], [], [], []] as [Resent['sent'], string[], string[], unknown[]];
  let began = performance.now();
  const noteSent = async (): Promise<void> => {
    for (const id of await takeUnsent(made)) sent.push([Math.round((performance.now() - began) / 1000), id]);
  };
  const resending = createResending({
    store: made.store,
    directory,
    resend: () => void noteSent(),
    onLost: (ids) => lost.push(...ids),
    warn: (line) => warnings.push(line),
    onFault: (error) => faults.push(error),
  });
  onTestFinished(() => resending.close());
  resending.add(execution_id, driven.params);
  const wait = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      for (const [name, report] of heard) directory.hear(name, 'since', report);
      await vi.advanceTimersByTimeAsync(1000);
      await turns(6);
    }
  };
  began = performance.now();
  return { made, resending, heard, sent, lost, warnings, faults, wait };
}

/** The times at which a message was sent again. */
export const timesOf = ({ sent }: Resent, id: string): number[] =>
  sent.filter(([, sentId]) => sentId === id).map(([second]) => second);
