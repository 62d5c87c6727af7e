import { describe, expect, it } from 'vitest';

import { Anonymizer } from '../../src/observed/anonymize.ts';

/** A value without names, and the words that have come in their places. */
function anonymized(...values: unknown[]): unknown[] {
  const anonymizer = new Anonymizer();
  for (const value of values) anonymizer.collect(value);
  return values.map((value) => anonymizer.replace(value));
}

describe('an anonymous recording', () => {
  it('has other names of people, the same ones alike, wherever they stand', () => {
    expect(
      anonymized(
        {
          sender: 'data-agent-wenauseic-481',
          execution_id: 'stf_datataking-wenauseic-0049',
          executed_by: 'torre',
          created_by: 'data-agent-wenauseic-481',
        },
        { message: 'wenauseic has told torre, not torrential; mail me@lab.gov' },
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

  it('has other names of hosts', () => {
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

  it('has other folders, and the same file names', () => {
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

  it('has destinations, calls, files of the run and numbers as they were', () => {
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
});
