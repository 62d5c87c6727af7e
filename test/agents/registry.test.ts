import { describe, expect, it } from 'vitest';

import { agentRoles, readingAgents } from '../../src/agents/registry.ts';
import { messageTypes, vocabulary } from '../../src/messages/vocabulary.ts';

describe('the roles of agents', () => {
  it('emit every message type except requests, each from one role', () => {
    const said = Object.values(agentRoles).flatMap(({ emits }) => [...emits]);
    expect(said.toSorted()).toEqual(
      messageTypes.filter((type) => vocabulary[type].destination !== 'control').toSorted(),
    );
  });

  it('are keyed by agent type, and include every agent that reads the log', () => {
    for (const [type, role] of Object.entries(agentRoles)) expect(role.type).toBe(type);
    for (const agent of readingAgents) expect(agentRoles[agent.type]).toBe(agent);
  });
});
