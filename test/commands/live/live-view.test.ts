import stringWidth from 'fast-string-width';
import { describe, expect, it } from 'vitest';

import { renderView } from '../../../src/commands/live/live-view.ts';
import { createScreen } from '../../../src/commands/live/live.ts';
import { createRates, type Snapshot, takeSnapshot } from '../../../src/commands/live/snapshot.ts';
import type { Terminal } from '../../../src/commands/shared/io.ts';
import { createPaint } from '../../../src/commands/shared/palette.ts';
import { createQueries } from '../../../src/db/queries.ts';
import { makeRunningStore } from '../../helpers.ts';
import { screenOf } from '../../terminal.ts';

const none = { stfs: undefined, samples: undefined, slices: undefined };
const plain = createPaint(1);

/** A run in the middle: 5 of 10 STFs, 75 slices in all states. */
async function inTheMiddle(): Promise<Snapshot> {
  const { store } = await makeRunningStore();
  const snapshot = takeSnapshot(
    createQueries(store.db, () => true),
    'latest',
  );
  return {
    ...snapshot,
    execution: {
      ...snapshot.execution,
      start_time: '2026-11-25T10:00:00.000Z',
      stf_count: 5,
      tf_files_received: 5,
      slices_created: 75,
      slices_queued: 12,
      slices_processing: 30,
      slices_completed: 30,
      slices_failed: 3,
    },
    progress: { ...snapshot.progress, stf_ready: 5, slices_final: 32 },
    retries: 7,
    secondsLeft: 113,
    elapsed: 72,
    inHand: { count: 30, lost: 0, overdue: 0, oldest: undefined, ends: undefined },
    exhausted: 2,
    simulated: 72,
    last: {
      message_id:
        'stf_datataking-tester-0001/slice_started/swf.100010.000005_slice_002.tf/2/worker-agent-tester-5/03@host',
      sent_at: '2026-11-25T10:01:12.000Z',
      effect: 'applied',
      effect_code: null,
      effect_reason: null,
    },
    error: {
      timestamp: '2026-11-25T10:01:10.000Z',
      message: `slice swf.100010.000003_slice_007.tf failed permanently after 4 attempts: PAYLOAD_FAILED: recon ended with exit code 3 \u001B[31m`,
    },
  };
}

const rates = { stfs: 0.476, samples: 0.476, slices: 1.04 };

describe('the live view', () => {
  it('shows phase, time, stages, workers, failures and the last event at 80 columns', async () => {
    expect(renderView(await inTheMiddle(), rates, { columns: 80, paint: plain })).toEqual([
      'stf_datataking-tester-0001  run 100010                                     72 s',
      ' progressing  phase physics, simulated 72 s, speed 1, namespace test',
      '',
      'STF files   [#########          ] 5/10         0.48 STF/s      11 s left',
      'TF samples  [#########          ] 5/10         0.48 samples/s  11 s left',
      'TF slices   [###!===--          ] 32/150       1.0 slices/s    113 s left',
      '            # 30 completed  = 30 processing  - 12 queued  ! 3 failed',
      'workers     30 of 30 busy',
      'failures    2 failed permanently, 7 retries, 1 to retry',
      String.raw`last error  10:01:10 UTC recon ended with exit code 3 \u{1b}[31m`,
      '            (swf.100010.000003_slice_007.tf)',
      'last event  10:01:12 UTC slice_started swf.100010.000005_slice_002.tf attempt 2',
    ]);
  });

  it('splits no word at 60 columns, and shows a command that can be copied', async () => {
    const oldest = { seconds: 12, slice_filename: 'swf.100010.000005_slice_003.tf' } as never;
    const snapshot = await inTheMiddle();
    const inHand = { count: 30, lost: 0, overdue: 1, oldest, ends: undefined };
    const options = { columns: 60, paint: plain, storeOption: ` --db /data/${'epic/'.repeat(8)}swf.db` };
    expect(renderView({ ...snapshot, health: 'stalled', inHand }, rates, options)).toEqual([
      'stf_datataking-tester-0001  run 100010                 72 s',
      ' stalled  phase physics, simulated 72 s, speed 1,',
      'namespace test',
      '',
      'STF files   [#######        ] 5/10         stalled',
      'TF samples  [#######        ] 5/10         stalled',
      'TF slices   [###!==-        ] 32/150       stalled',
      '            # 30 completed  = 30 processing  - 12 queued',
      '            ! 3 failed',
      'workers     30 of 30 busy',
      '! oldest    12 s, usual 30.0 s, 1 overdue:',
      '            swf.100010.000005_slice_003.tf',
      'failures    2 failed permanently, 7 retries, 1 to retry',
      'last error  10:01:10 UTC recon ended with exit code 3',
      String.raw`            \u{1b}[31m (swf.100010.000003_slice_007.tf)`,
      'last event  10:01:12 UTC slice_started',
      '            swf.100010.000005_slice_002.tf attempt 2',
      '',
      'its process is gone; resume the execution with',
      `  swf-mcp${options.storeOption} resume stf_datataking-tester-0001`,
    ]);
  });

  it.each([20, 40, 80, 120, 400])('fits %i columns, with the same text in colour and plain', async (columns) => {
    const snapshot = await inTheMiddle();
    const views = [1, 4, 8, 24].map((depth) => renderView(snapshot, rates, { columns, paint: createPaint(depth) }));
    for (const lines of views) {
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns - 1);
      // eslint-disable-next-line no-control-regex
      expect(lines.map((line) => line.replaceAll(/\u001B\[[0-9;]*m/g, ''))).toEqual(views[0]);
    }
    expect(views[3]?.join('')).toContain('\u001B[48;2;150;202;105m');
    expect(views[0]?.join('')).not.toContain('\u001B[4');
  });

  it('fits the terminal even with characters two columns wide', async () => {
    const snapshot = await inTheMiddle();
    const error = { timestamp: '2026-11-25T10:01:10.000Z', message: '漢字'.repeat(60) };
    for (const line of renderView({ ...snapshot, error }, rates, { columns: 80, paint: plain }))
      expect(stringWidth(line)).toBeLessThanOrEqual(79);
  });

  it('says what to do about a stalled run, and omits an unknown remaining time', async () => {
    const snapshot = await inTheMiddle();
    const stalled = renderView({ ...snapshot, health: 'stalled' }, rates, { columns: 80, paint: plain }).join('\n');
    expect(stalled).toMatch(/TF slices .*stalled$/m);
    expect(stalled).toMatch(/resume the execution with\n {2}swf-mcp resume stf_datataking-tester-0001$/m);
    const unknown = { ...snapshot, secondsLeft: undefined };
    expect(renderView(unknown, none, { columns: 80, paint: plain }).join('\n')).not.toMatch(/left/);
  });

  it('shows no progress bar for STF files in an endless run', async () => {
    const snapshot = await inTheMiddle();
    const progress = {
      ...snapshot.progress,
      stf_planned: undefined,
      tf_files_planned: undefined,
      slices_planned: undefined,
    };
    const lines = renderView({ ...snapshot, progress }, rates, { columns: 80, paint: plain });
    expect(lines[3]).toBe('STF files                         5            0.48 STF/s');
    expect(lines[5]).toMatch(/^TF slices   \[#+!=+-+\] 32\/75/);
  });
});

describe('rates', () => {
  const follow = async () => {
    const snapshot = await inTheMiddle();
    const add = createRates();
    return (stf_ready: number, at: number, health: Snapshot['health'] = 'progressing') =>
      add({ ...snapshot, health, progress: { ...snapshot.progress, stf_ready } }, at).stfs;
  };

  it('are measured between the first and last item of a minute, and are undefined for too few items', async () => {
    const add = await follow();
    // Nothing is made before physics, so that time does not count.
    expect(add(0, 0)).toBeUndefined();
    expect(add(1, 20_000)).toBeUndefined();
    expect(add(2, 20_500)).toBeUndefined();
    expect(add(3, 22_000)).toBe(1);
    for (let second = 23; second <= 62; second += 1) expect(add(second - 19, second * 1000)).toBe(1);
    // Between two items the rate stays the same; at a standstill it falls.
    expect(add(43, 63_000)).toBe(1);
    expect(add(43, 122_000)).toBeLessThan(0.5);
  });

  it('exclude the time during which the run is paused', async () => {
    const add = await follow();
    for (const second of [0, 1, 2, 3]) add(second, second * 1000);
    for (const second of [4, 30, 60]) add(3, second * 1000, 'paused');
    expect(add(4, 61_000)).toBe(1);
  });
});

describe('the screen', () => {
  const size = { columns: 30, rows: 8 };

  function fakeTerminal() {
    const state = { ...size, written: '' };
    const terminal: Terminal = {
      columns: () => state.columns,
      rows: () => state.rows,
      colorDepth: 1,
      write: (text) => void (state.written += text),
    };
    return { terminal, state };
  }

  it('paints over its previous lines, keeps printed lines above them, and leaves nothing behind', async () => {
    const { terminal, state } = fakeTerminal();
    const screen = createScreen(terminal);
    screen.print('first');
    screen.paint(['one', 'a longer line', 'three']);
    screen.paint(['ONE', 'short']);
    expect(await screenOf(state.written, size)).toEqual(['first', 'ONE', 'short']);
    screen.print('second');
    expect(await screenOf(state.written, size)).toEqual(['first', 'second', 'ONE', 'short']);
    screen.end();
    expect(await screenOf(state.written, size)).toEqual(['first', 'second']);
    expect(state.written.endsWith('\u001B[?25h')).toBe(true);
  });

  it('writes nothing if nothing has changed, and otherwise writes once', () => {
    const { terminal, state } = fakeTerminal();
    const screen = createScreen(terminal);
    screen.paint(['one']);
    const before = state.written;
    screen.paint(['one']);
    expect(state.written).toBe(before);
    // No erasing before writing: that would flicker.
    screen.paint(['two']);
    expect(state.written.slice(before.length)).toBe('\u001B[?25l\u001B[1A\rtwo\u001B[K\n\u001B[J');
  });

  it('shows no more lines than the window has rows, even if the window shrinks', async () => {
    const { terminal, state } = fakeTerminal();
    const screen = createScreen(terminal);
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    screen.paint(lines);
    screen.paint(lines.map((line) => `${line}!`));
    expect(await screenOf(state.written, size)).toEqual(lines.slice(0, 7).map((line) => `${line}!`));
    state.rows = 4;
    screen.paint(['a', 'b', 'c', 'd', 'e']);
    expect((await screenOf(state.written, size)).filter((line) => /^[abcde]$/.test(line))).toEqual(['a', 'b', 'c']);
  });
});
