import type { MessageEffect } from '../../domain/effects.ts';
import type { Window } from './page.ts';

export interface MessageFilter extends Window {
  execution_id?: string | undefined;
  run_id?: string | undefined;
  namespace?: string | undefined;
  agent?: string | undefined;
  message_type?: string | undefined;
  message_id?: string | undefined;
  effect?: MessageEffect | undefined;
  /** Words of the id or of the body. */
  search?: string | undefined;
}
