import { argumentInvalid } from '../../lib/errors.ts';

/** The same limits as in the tool, in characters. */
export const maxReason = 300;
export const maxName = 100;

export interface ControlArguments {
  executionId: string;
  reason?: string;
  requestedBy?: string;
  /** The client on whose behalf a server has started this process. */
  sender?: string;
}

/** Throws `ARGUMENT_INVALID`. */
export function requireControlOptions({ reason, requestedBy }: ControlArguments) {
  requireLength('--reason', reason, maxReason);
  requireLength('--requested-by', requestedBy, maxName);
}

function requireLength(option: string, text: string | undefined, most: number) {
  if (text === undefined || (text !== '' && text.length <= most)) return;
  throw argumentInvalid(`${option} has ${text.length} characters; it must have 1 to ${most}`);
}
