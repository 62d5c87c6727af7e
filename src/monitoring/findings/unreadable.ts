import { call, defineFinding } from './rule.ts';

export const unreadable = defineFinding('UNREADABLE', ({ evidence: { execution_id, unreadable: parts } }) => {
  if (parts.length === 0) return undefined;
  return {
    severity: 'error',
    sentence: `The store is damaged: ${parts.join(', ')} cannot be read and are left out; "swf-mcp check" says more.`,
    ids: [...parts],
    next: call('audit_execution', { execution_id }),
  };
});
