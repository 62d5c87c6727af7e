import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import type { DeliveredSlice } from '../../src/agents/ports.ts';
import { executionParamsSchema, workflowParamsOf } from '../../src/domain/params.ts';
import { ExecutionViews } from '../../src/exchange/execution-views.ts';
import type { ExecutionState } from '../../src/messages/telemetry.ts';

const execution_id = 'stf_datataking-tester-0001';

const stateOf = (more: Partial<ExecutionState>): ExecutionState => ({
  msg_type: 'execution_state',
  sender: 'recorder',
  namespace: 'test',
  execution_id,
  store_id: 'first',
  epoch: 1,
  run_id: '100010',
  phase: 'physics',
  status: 'running',
  held: false,
  workflow_params: workflowParamsOf(executionParamsSchema.parse({})),
  plan_version: 1,
  max_retries: 3,
  ...more,
});

const sliceOf = (storeId: string, since = performance.now()): DeliveredSlice => ({
  slice: { execution_id } as DeliveredSlice['slice'],
  storeId,
  replyTo: undefined,
  since,
});

function makeViews(): ExecutionViews {
  const views = new ExecutionViews();
  onTestFinished(() => views.close());
  return views;
}

describe('executions as a worker sees them', () => {
  afterEach(() => void vi.useRealTimers());

  it('start afresh if a new store reuses the id of an execution that has ended', () => {
    const views = makeViews();
    views.hear(stateOf({ epoch: 3 }));
    views.hear(stateOf({ epoch: 3, status: 'completed' }));
    expect(views.standing(sliceOf('first'))).toBe('over');
    views.hear(stateOf({ store_id: 'second' }));
    expect(views.standing(sliceOf('second'))).toBe('open');
    expect(views.overFor(execution_id).aborted).toBe(false);
    // The last state of the first arrives several times.
    views.hear(stateOf({ epoch: 3, status: 'completed' }));
    expect(views.standing(sliceOf('second'))).toBe('open');
  });

  it('follow their newest driver, and ignore one with an older epoch', () => {
    const views = makeViews();
    views.hear(stateOf({ epoch: 2, run_id: '100011' }));
    views.hear(stateOf({ epoch: 1, status: 'completed' }));
    expect(views.standing(sliceOf('first'))).toBe('open');
    expect(views.stateOf(execution_id)).toMatchObject({ epoch: 2, run_id: '100011', status: 'running' });
    views.hear(stateOf({ epoch: 3, held: true }));
    expect(views.stateOf(execution_id)).toMatchObject({ epoch: 3 });
    views.hear(stateOf({ epoch: 2 }));
    expect(views.paused()).toEqual([execution_id]);
  });

  it('stay over once they have ended, even if drivers report them as running', () => {
    const views = makeViews();
    views.hear(stateOf({ status: 'completed' }));
    for (const epoch of [1, 2]) {
      views.hear(stateOf({ epoch }));
      expect(views.standing(sliceOf('first'))).toBe('over');
      expect(views.stateOf(execution_id)).toMatchObject({ epoch: 1, status: 'completed' });
    }
  });

  it('are waited for once, not once per slice, if no recorder reports them', () => {
    vi.useFakeTimers();
    const views = makeViews();
    expect(views.standing(sliceOf('first'))).toBe('unknown');
    for (let second = 0; second < 20; second += 1) {
      vi.advanceTimersByTime(1000);
      views.hear(stateOf({ execution_id: 'another' }));
    }
    expect(views.standing(sliceOf('first'))).toBe('over');
    views.hear(stateOf({}));
    expect(views.standing(sliceOf('first'))).toBe('open');
  });

  it.each([{ held: true }, { phase: 'standby' as const }])(
    'with %o are paused only while their recorder is heard',
    (state) => {
      vi.useFakeTimers();
      const views = makeViews();
      views.hear(stateOf(state));
      expect([views.standing(sliceOf('first')), views.paused()]).toEqual(['paused', [execution_id]]);
      // No recorder would end the pause.
      vi.advanceTimersByTime(60_000);
      expect([views.standing(sliceOf('first')), views.paused()]).toEqual(['open', []]);
    },
  );

  it('let a worker rest only while a recorder that is heard lists it as resting', () => {
    vi.useFakeTimers();
    const views = makeViews();
    let changes = 0;
    views.onPaused('worker-1', () => (changes += 1));
    const resting = [{ agent: 'worker-1', detail: 'it fails' }];
    views.hear(stateOf({ resting: [{ agent: 'worker-2', detail: 'it fails' }] }));
    expect([views.standing(sliceOf('first')), views.taking(), changes]).toEqual(['open', 'all', 0]);
    views.hear(stateOf({ resting }));
    expect([views.standing(sliceOf('first')), views.taking(), changes]).toEqual(['paused', 'none', 1]);
    expect(views.resting()).toEqual([{ execution_id, detail: 'it fails' }]);
    expect(views.unwanted()).toEqual({ execution_id: [execution_id] });
    // Another execution still wants it.
    views.hear(stateOf({ execution_id: 'another' }));
    expect(views.taking()).toBe('all');
    views.hear(stateOf({ execution_id: 'another', status: 'completed' }));
    expect(views.taking()).toBe('none');
    // Nobody would end a rest whose recorder is gone.
    vi.advanceTimersByTime(60_000);
    expect([views.standing(sliceOf('first')), views.taking(), views.resting()]).toEqual(['open', 'all', []]);
    views.hear(stateOf({}));
    expect(views.standing(sliceOf('first'))).toBe('open');
  });

  it('let only the first slot of a worker on trial take slices', () => {
    const views = makeViews();
    let changes = 0;
    views.onPaused('worker-1', () => (changes += 1));
    views.hear(stateOf({ on_trial: [{ agent: 'worker-2', detail: 'its trial' }] }));
    expect([views.taking(), changes]).toEqual(['all', 0]);
    views.hear(stateOf({ on_trial: [{ agent: 'worker-1', detail: 'its trial' }] }));
    expect([views.taking(), changes]).toEqual(['one', 1]);
    const bySlot = [1, 2].map((slot) => [
      views.standing(sliceOf('first'), slot),
      views.unwanted(slot),
      views.resting(slot),
    ]);
    expect(bySlot).toEqual([
      ['open', { execution_id: [] }, []],
      ['paused', { execution_id: [execution_id] }, [{ execution_id, detail: 'its trial' }]],
    ]);
    // A trial that has ended waits for the answer of the recorder.
    views.noteEnd(sliceOf('first'));
    expect([views.taking(), changes]).toEqual(['none', 2]);
    views.hear(stateOf({}));
    expect([views.taking(), changes]).toEqual(['all', 3]);
    views.noteEnd(sliceOf('first'));
    expect([views.taking(), changes]).toEqual(['all', 3]);
  });
});
