import { describe, expect, it } from 'vitest';

import { shortPaths } from '../../src/lib/words.ts';
import { withoutConsequences } from '../../src/monitoring/findings/index.ts';
import type { Finding } from '../../src/monitoring/findings/rule.ts';
import { type Given, situationOf } from './situation.ts';

const finding = (code: string, ids: string[] = [], agent_type = ''): Finding => ({
  code,
  severity: 'error',
  sentence: code,
  ids,
  next: { tool: 'list_agents', arguments: { agent_type } },
});

const codesOf = (findings: Finding[], given: Given = {}): string[] =>
  withoutConsequences(findings, { driving: situationOf(given) }).map(({ code }) => code);

describe('consequences of a cause', () => {
  const following = ['DATA_OLD', 'AGENT_GONE', 'AGENT_MISSING', 'STAGE_STUCK', 'SLICE_OVERDUE', 'WORKER_GONE'].map(
    (code) => finding(code, ['data']),
  );

  it.each(['DRIVER_SILENT', 'DRIVER_GONE', 'DRIVER_FAULT', 'TAKE_UP_FAILED', 'BROKER_AWAY'])(
    'are not reported in addition to %s',
    (cause) => {
      expect(codesOf([...following, finding(cause), finding('SLICES_FAILED')])).toEqual([cause, 'SLICES_FAILED']);
    },
  );

  it('are reported if their cause is not', () => {
    expect(codesOf([finding('DATA_OLD'), finding('AGENT_MISSING', ['data'])])).toEqual(['DATA_OLD', 'AGENT_MISSING']);
  });

  it('such as a stuck stage are folded only into a finding about the same role', () => {
    const stages = [finding('STAGE_STUCK', ['worker']), finding('STAGE_SLOW', ['fastmon'])];
    const unfit = [
      { reason: 'NO_FILE', kind: '/data', slices: 15, agent: 'w', others: 0, hostname: 'host-b', detail: null },
    ];
    const waiting = (slices_queued: number): Given => ({ counts: { slices_queued }, evidence: { unfit } });
    const all = [...stages, finding('NO_WORKER_FOR')];
    expect(codesOf(all, waiting(15))).toEqual(['STAGE_SLOW', 'NO_WORKER_FOR']);
    // One more slice waits for another reason.
    expect(codesOf(all, waiting(16))).toEqual(['STAGE_STUCK', 'STAGE_SLOW', 'NO_WORKER_FOR']);
    expect(codesOf([...stages, finding('UNANSWERED', [], 'fastmon')])).toEqual(['STAGE_STUCK', 'UNANSWERED']);
    expect(codesOf([...stages, finding('AGENT_MISSING', ['worker'])])).toEqual(['STAGE_SLOW', 'AGENT_MISSING']);
  });

  it('are the only findings left out, whatever the cause', () => {
    const staying = ['STOP_PENDING', 'PAUSED', 'SLICES_FAILED', 'FILES_MISSING', 'WORKERS_TOO_FEW', 'CLOCK_OFF'];
    for (const cause of [
      'DRIVER_SILENT',
      'DRIVER_GONE',
      'DRIVER_FAULT',
      'BROKER_AWAY',
      'AGENT_GONE',
      'NOTHING_SUCCEEDS',
    ])
      expect(codesOf([...staying, cause].map((code) => finding(code)))).toEqual([...staying, cause]);
  });

  it('include DRIVER_FAULT if the cause is TAKE_UP_FAILED', () => {
    expect(codesOf(['DRIVER_FAULT', 'TAKE_UP_FAILED', 'TAKEN_UP'].map((code) => finding(code)))).toEqual([
      'TAKE_UP_FAILED',
    ]);
  });
});

describe('a sentence with shortened paths', () => {
  it.each([
    [
      'DATA_UNAVAILABLE: /tmp/a/very/long/way/to/the/data/folder/stf_x-0001/swf.100010.000029.stf cannot be written (EROFS)',
      'DATA_UNAVAILABLE: …/stf_x-0001/swf.100010.000029.stf cannot be written (EROFS)',
    ],
    ['the program /opt/recon.sh does not exist', 'the program /opt/recon.sh does not exist'],
    [
      'from http://host-a:8080/some/long/folder/of/files/swf.100010.000001_tf_001.tf',
      'from http://host-a:8080/some/long/folder/of/files/swf.100010.000001_tf_001.tf',
    ],
    ['1/2 and a/b stay', '1/2 and a/b stay'],
  ])('%s', (sentence, shown) => {
    expect(shortPaths(sentence)).toBe(shown);
  });
});
