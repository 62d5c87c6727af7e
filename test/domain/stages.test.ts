import { describe, expect, it } from 'vitest';

import { stages, stagesForPeople } from '../../src/domain/stages.ts';

describe('a stage', () => {
  it.each(stages.map(({ stage }) => stage))('is shown to people without message names: %s', (stage) => {
    const shown = stagesForPeople(`only a has reached ${stage}: 2 s`);
    expect(shown).toMatch(/^only a has reached (?:STF|TF|slice) .+ → .+: 2 s$/);
    expect(shown).not.toContain('_');
  });

  it('is reworded in a sentence, but similar words are left alone', () => {
    expect(stagesForPeople('slice_started → slice_result: 95 % took at most 3 s in a')).toBe(
      'slice begun → completed: 95 % took at most 3 s in a',
    );
    expect(stagesForPeople('slice_started, and my_slice → slice_started2')).toBe(
      'slice_started, and my_slice → slice_started2',
    );
  });
});
