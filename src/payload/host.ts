import { type OrphanGuard, startOrphanGuard } from './orphan-guard.ts';

/** The state for payload commands that a process has once, for all its executions. */
export interface PayloadHost {
  /** The environment that payload commands inherit, secrets aside. */
  readonly environment: NodeJS.ProcessEnv;
  /** The guard of payload processes. The first call starts it. */
  guard(): OrphanGuard;
  /** Ends whatever still runs. */
  close(): Promise<void>;
}

export function createPayloadHost(environment: NodeJS.ProcessEnv): PayloadHost {
  let guard: OrphanGuard | undefined;
  return {
    environment,
    guard: () => (guard ??= startOrphanGuard(environment)),
    async close() {
      await guard?.close();
      guard = undefined;
    },
  };
}
