import { type CommandPayloadOptions, createCommandPayload } from './command-payload.ts';
import { type Guard, startGuard } from './orphan-guard.ts';
import type { Payload } from './placeholder.ts';

/** Everything of payload commands that a process has once, however many executions it works on. */
export interface PayloadHost {
  create(options: Omit<CommandPayloadOptions, 'environment' | 'guard'>): Payload;
  /** Ends whatever still runs. */
  close(): Promise<void>;
}

/** @param environment what payload commands inherit, secrets aside */
export function createPayloadHost(environment: NodeJS.ProcessEnv): PayloadHost {
  let guard: Guard | undefined;
  return {
    create: (options) =>
      createCommandPayload({
        ...options,
        environment,
        // Only who runs commands needs a guard.
        guard: () => (guard ??= startGuard(environment)),
      }),
    async close() {
      await guard?.close();
      guard = undefined;
    },
  };
}
