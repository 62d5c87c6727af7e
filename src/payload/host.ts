import { type OrphanGuard, startOrphanGuard } from './orphan-guard.ts';

/** The state for payload commands that a process has once, for all its executions. @param environment that payload commands inherit, secrets aside */
export function createPayloadHost(environment: NodeJS.ProcessEnv) {
  let guard: OrphanGuard | undefined;
  return {
    environment,
    /** The guard of payload processes. The first call starts it. */
    guard: () => (guard ??= startOrphanGuard(environment)),
    /** Ends whatever still runs. */
    async close() {
      await guard?.close();
      guard = undefined;
    },
  };
}

export type PayloadHost = ReturnType<typeof createPayloadHost>;
