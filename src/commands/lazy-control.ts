import type { Control } from '../tools/control.ts';
import type { Io } from './io.ts';

/** What tools may do to executions, loaded when it is first done: the agents come along with it, and most servers only answer. */
export function createLazyControl(io: Io): Control {
  const load = async (): Promise<Control> => (await import('./control-port.ts')).createControl(io);
  return {
    start: async (request) => (await load()).start(request),
    command: async (...args) => (await load()).command(...args),
  };
}
