import { describe, expect, it } from 'vitest';

import { agentRoles, readingAgents } from '../../src/agents/registry.ts';
import { messageTypes, vocabulary } from '../../src/messages/vocabulary.ts';

describe('the roles of agents', () => {
  it('say every message type but requests, each by one role', () => {
    const said = Object.values(agentRoles).flatMap(({ emits }) => [...emits]);
    expect(said.toSorted()).toEqual(
      messageTypes.filter((type) => vocabulary[type].destination !== 'control').toSorted(),
    );
  });

  it('are named by their type, and hold every agent that reads the log', () => {
    for (const [type, role] of Object.entries(agentRoles)) expect(role.type).toBe(type);
    for (const agent of readingAgents) expect(agentRoles[agent.type]).toBe(agent);
  });
});
