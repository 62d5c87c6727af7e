import { describe, expect, it } from 'vitest';

import { decodeObject } from '../../src/messages/codec.ts';
import { alarmFindings, alarmStep } from '../../src/monitoring/findings/alarms.ts';
import type { Finding } from '../../src/monitoring/findings/rule.ts';

const at = { now: 100_000, patience: 10 };

describe('the next step of an alarm', () => {
  it.each([
    ['nothing is wrong', {}, undefined, { changes: [] }],
    ['the finding is new', {}, 'error', { changes: [], found: 100_000 }],
    ['the finding has not lasted long enough', { found: 90_001 }, 'error', { changes: [], found: 90_001 }],
    ['the finding has lasted long enough', { found: 90_000 }, 'error', { changes: ['raised'] }],
    ['the finding disappeared before it had lasted long enough', { found: 90_001 }, undefined, { changes: [] }],
    ['the finding persists', { raised: 'error' }, 'error', { changes: [] }],
    ['the finding disappeared a moment ago', { raised: 'error' }, undefined, { changes: [], gone: 100_000 }],
    [
      'the finding has been gone for a while',
      { raised: 'error', gone: 90_001 },
      undefined,
      { changes: [], gone: 90_001 },
    ],
    [
      'the finding has been gone for as long as it had to last',
      { raised: 'error', gone: 90_000 },
      undefined,
      { changes: ['cleared'] },
    ],
    ['the finding was gone briefly and is back', { raised: 'error', gone: 90_001 }, 'error', { changes: [] }],
    ['the finding got worse a moment ago', { raised: 'warning' }, 'error', { changes: [], found: 100_000 }],
    [
      'the finding has been worse for long enough',
      { raised: 'warning', found: 90_000 },
      'error',
      { changes: ['cleared', 'raised'] },
    ],
    ['the finding was worse for a moment', { raised: 'warning', found: 95_000 }, 'warning', { changes: [] }],
    ['the clock was set back after the finding appeared', { found: 200_000 }, 'error', { changes: [], found: 100_000 }],
    [
      'the clock was set back after the finding disappeared',
      { raised: 'error', gone: 200_000 },
      undefined,
      { changes: [], gone: 100_000 },
    ],
    ['the finding got better', { raised: 'error' }, 'warning', { changes: [] }],
  ] as const)('is right if %s', (_, standing, severity, step) => {
    expect(alarmStep(standing, severity, at)).toEqual(step);
  });

  it('raises the alarm immediately if its finding need not persist', () => {
    expect(alarmStep({}, 'warning', { now: 5, patience: 0 })).toEqual({ changes: ['raised'] });
  });
});

const finding = (code: string, severity: Finding['severity'], about?: string): Finding => ({
  code,
  severity,
  sentence: `${severity} ${code}`,
  ids: [],
  ...(about === undefined ? {} : { about }),
  next: { tool: 'list_agents', arguments: {} },
});

describe('the findings that raise alarms', () => {
  it('have sentences with shortened paths', () => {
    const sentence =
      'Failed: /srv/experiments/epic/software/releases/2026-11/reconstruction/bin/reco.sh ended with code 3.';
    const [alarm] = alarmFindings('e', [{ ...finding('SLICES_FAILED', 'error'), sentence }]);
    expect(alarm?.sentence).toBe('Failed: …/bin/reco.sh ended with code 3.');
  });

  it('have subjects and sentences that fit into a message, however long the originals are', () => {
    const long = 'x'.repeat(3000);
    const found = alarmFindings('e 1~102007', [
      { ...finding('FILE_GONE', 'error', `${long}a`), sentence: 'y'.repeat(20_000) },
      finding('FILE_GONE', 'error', `${long}b`),
    ]);
    expect(new Set(found.map(({ subject }) => subject)).size).toBe(2);
    for (const alarm of found) {
      const said = {
        msg_type: 'alarm_raised',
        ...alarm,
        count: 1,
        sender: 'watch',
        namespace: 'n',
        execution_id: 'e 1~102007',
      };
      expect(decodeObject(said)).toMatchObject({ kind: 'message' });
    }
  });

  it('are the worst error or warning for each code and subject', () => {
    const found = alarmFindings('e-1', [
      finding('STAGE_STUCK', 'error', 'data'),
      finding('STAGE_STUCK', 'error', 'worker'),
      finding('UNANSWERED', 'error', 'fastmon'),
      finding('UNANSWERED', 'warning', 'fastmon'),
      finding('SLICES_FAILED', 'error'),
      finding('TAKEN_UP', 'info'),
    ]);
    expect(found.map(({ code, subject, severity }) => `${severity} ${code}/${subject}`)).toEqual([
      'error STAGE_STUCK/e-1:data',
      'error STAGE_STUCK/e-1:worker',
      'error UNANSWERED/e-1:fastmon',
      'error SLICES_FAILED/e-1',
    ]);
  });
});
