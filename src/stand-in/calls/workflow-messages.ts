import { messagesOf } from '../../db/stand-in/messages.ts';
import { textOf } from '../objects/fields.ts';
import type { Call } from './call.ts';

/** The messages of an execution in the order they were sent: episodes are built from them. */
export const workflowMessages: Call = {
  method: 'GET',
  path: 'workflow-messages',
  answer: (tx, { query }) => ({ status: 200, body: messagesOf(tx.sql, textOf(query['execution_id'])) }),
};
