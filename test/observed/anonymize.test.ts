import { describe, expect, it } from 'vitest';

import { createAnonymizer } from '../../src/observed/anonymize.ts';

/** Values with their names replaced, by one anonymizer. */
function anonymized(...values: unknown[]): unknown[] {
  const anonymizer = createAnonymizer();
  for (const value of values) anonymizer.collect(value);
  return values.map((value) => anonymizer.replace(value));
}

describe('an anonymous recording', () => {
  it("replaces a person's name with the same substitute everywhere", () => {
    expect(
      anonymized(
        {
          sender: 'data-agent-jdoe-481',
          execution_id: 'stf_datataking-jdoe-0049',
          executed_by: 'torre',
          created_by: 'data-agent-jdoe-481',
        },
        { message: 'jdoe has told torre, not torrential; mail me@lab.gov' },
      ),
    ).toEqual([
      {
        sender: 'data-agent-person-1-481',
        execution_id: 'stf_datataking-person-1-0049',
        executed_by: 'person-2',
        created_by: 'data-agent-person-1-481',
      },
      { message: 'person-1 has told person-2, not torrential; mail person-3' },
    ]);
  });

  it('replaces host names', () => {
    expect(
      anonymized({
        hostname: 'spool0123.sdcc.bnl.gov',
        internal_id: 'torre2.ResultPublisher.dev-7.1a2b3c4d',
        error: 'no answer of spool0123.sdcc.bnl.gov or 10.0.0.7; see https://panda.cern.ch/x',
      }),
    ).toEqual([
      {
        hostname: 'host-1',
        internal_id: 'torre2.ResultPublisher.host-2.1a2b3c4d',
        error: 'no answer of host-1 or host-3; see https://host-4/x',
      },
    ]);
  });

  it('replaces folders and keeps file names', () => {
    expect(
      anonymized({
        output_file: '/gpfs02/eic/panda/jobs/102901/x.root',
        dest_path: '/gpfs02/eic/panda/jobs/',
        filename: 'root://dtn-eic.jlab.org//volatile/eic/EPIC/a.root',
      }),
    ).toEqual([
      {
        output_file: '/folder-1/x.root',
        dest_path: '/folder-2/',
        filename: expect.stringMatching(/^root:\/\/host-1\/folder-3\/a\.root$/),
      },
    ]);
  });

  it('keeps destinations, calls, numbers and the files of the run', () => {
    const value = {
      destination: '/topic/panda.slices',
      path: '/api/tf-slices/12/',
      filename: 'swf.101993.000001.stf',
      n: 5,
      x: null,
      hostname: 'localhost',
    };
    expect(anonymized(value)).toEqual([value]);
  });

  it('hides the broker in its first line, and keeps the terms of the workflow', () => {
    expect(
      anonymized(
        { capture: 1, broker: 'a.bnl.gov:61613,b.bnl.gov:61613' },
        { owner: 'run', destination: '/topic/run', state: 'run', note: 'run' },
      ),
    ).toEqual([
      { capture: 1, broker: 'host-1:61613,host-2:61613' },
      { owner: 'person-1', destination: '/topic/run', state: 'run', note: 'person-1' },
    ]);
  });

  it('replaces names in lists, and leaves bare numbers alone', () => {
    expect(
      anonymized({ hostname: ['alpha', 'beta'], owner: '12', n: 3, user: null }, ['alpha', 12, { x: ['beta'] }]),
    ).toEqual([{ hostname: ['host-1', 'host-2'], owner: '12', n: 3, user: null }, ['host-1', 12, { x: ['host-2'] }]]);
  });

  it("replaces a person's name in the id of an execution, but not in a label", () => {
    expect(anonymized({ execution_id: 'prompt-ann-0845', label: 'release-bob-2026', sender: 'ann' })).toEqual([
      { execution_id: 'prompt-person-1-0845', label: 'release-bob-2026', sender: 'person-1' },
    ]);
  });

  it('replaces the longest name first', () => {
    expect(anonymized({ executed_by: 'ann', owner: 'ann-lee' }, 'ann-lee and ann')).toEqual([
      { executed_by: 'person-1', owner: 'person-2' },
      'person-2 and person-1',
    ]);
  });

  it('is unchanged if it names no person', () => {
    expect(anonymized({ a: 'x', b: [1] })).toEqual([{ a: 'x', b: [1] }]);
  });
});
