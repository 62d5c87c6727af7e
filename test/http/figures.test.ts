import { describe, expect, it } from 'vitest';

import type { Queries } from '../../src/db/queries.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { counter, gauge, histogram } from '../../src/http/prometheus-text.ts';
import { agentMetricsText, observerMetricsText } from '../../src/http/service-metrics.ts';
import { SwfError } from '../../src/lib/errors.ts';

const samples = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** Each figure with its type and its help. */
const heads = (text: string): string[] =>
  [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \1 (\S+)$/gm)].map(
    ([, name, help, type]) => `${type} ${name}: ${help}`,
  );

describe('a metric for Prometheus', () => {
  it('has its help, its type and its samples', () => {
    expect(
      gauge('swf_x', 'What it is.', [
        [{}, 1],
        [{ a: 'b', c: String.raw`d"e\f` }, 2.5],
      ]),
    ).toEqual(['# HELP swf_x What it is.', '# TYPE swf_x gauge', 'swf_x 1', String.raw`swf_x{a="b",c="d\"e\\f"} 2.5`]);
    expect(counter('swf_x', 'None.', [])).toEqual(['# HELP swf_x None.', '# TYPE swf_x counter']);
    expect(gauge('swf_x', 'x', [[{ a: 'line\nfeed' }, 1]]).at(-1)).not.toContain('\n');
  });

  it('of durations counts those within each bound', () => {
    expect(histogram('swf_h', 'Waits.', { bounds: [0.1, 1], within: [3], count: 7, sum: 9.5 })).toEqual([
      '# HELP swf_h Waits.',
      '# TYPE swf_h histogram',
      'swf_h_bucket{le="0.1"} 3',
      'swf_h_bucket{le="1"} 0',
      'swf_h_bucket{le="+Inf"} 7',
      'swf_h_sum 9.5',
      'swf_h_count 7',
    ]);
  });
});

describe('the metrics of an agent', () => {
  const figures = {
    version: '1.2.3',
    schema: 7,
    traffic: {
      isConnected: true,
      reconnects: 2,
      sent: new Map([['slice', 3]]),
      received: new Map([['stf_gen', 4]]),
      refused: new Map([['stf_ready', 1]]),
      steps: { bounds: [1], within: [5], count: 6, sum: 7 },
    },
    unsent: { count: 2, oldest: 1_767_225_600_500 },
    behind: { data: 8 },
    slots: { free: 9 },
    offDuty: { DISK: 1 },
  };

  it('are labelled by type, role, reason and state', () => {
    expect(samples(agentMetricsText(figures))).toEqual([
      'swf_build_info{version="1.2.3",schema="7"} 1',
      'swf_broker_connected 1',
      'swf_broker_reconnects_total 2',
      'swf_outbox_unsent_messages 2',
      'swf_outbox_oldest_unsent_timestamp_seconds 1767225600.5',
      'swf_messages_sent_total{type="slice"} 3',
      'swf_messages_received_total{type="stf_gen"} 4',
      'swf_messages_refused_total{type="stf_ready"} 1',
      'swf_reader_behind_messages{role="data"} 8',
      'swf_off_duty_kinds{reason="DISK"} 1',
      'swf_slots{state="free"} 9',
      'swf_step_duration_seconds_bucket{le="1"} 5',
      'swf_step_duration_seconds_bucket{le="+Inf"} 6',
      'swf_step_duration_seconds_sum 7',
      'swf_step_duration_seconds_count 6',
    ]);
    expect(agentMetricsText(figures)).toMatch(/[^\n]\n$/);
    expect(heads(agentMetricsText(figures))).toMatchInlineSnapshot(`
      [
        "gauge swf_build_info: Version of this program.",
        "gauge swf_broker_connected: 1 while connected to the broker.",
        "counter swf_broker_reconnects_total: Reconnections to the broker.",
        "gauge swf_outbox_unsent_messages: Messages not yet confirmed by the broker.",
        "gauge swf_outbox_oldest_unsent_timestamp_seconds: Unix time at which the oldest unconfirmed message was queued; absent if there is none.",
        "counter swf_messages_sent_total: Messages confirmed by the broker.",
        "counter swf_messages_received_total: Messages received from the broker.",
        "counter swf_messages_refused_total: Messages refused by the broker.",
        "gauge swf_reader_behind_messages: Messages waiting to be processed.",
        "gauge swf_off_duty_kinds: Kinds of work (payloads, files) that this agent currently cannot do.",
        "gauge swf_slots: Slots of this worker.",
        "histogram swf_step_duration_seconds: Time to process a message or a slice.",
      ]
    `);
  });

  it('have no oldest message if none is waiting, and show that the broker is away', () => {
    const away = { ...figures.traffic, isConnected: false };
    const text = samples(agentMetricsText({ ...figures, traffic: away, unsent: { count: 0, oldest: undefined } }));
    expect(text).toContain('swf_broker_connected 0');
    expect(text.join('\n')).not.toContain('oldest');
  });
});

describe('the metrics of an observer', () => {
  const figures = {
    version: '1.2.3',
    schema: 7,
    isConnected: false,
    reconnects: 1,
    messages: new Map([['/topic/epictopic', 5]]),
    lastMessageAt: 1_767_225_600_000,
    places: [
      { kind: 'store', waiting: 2, dropped: 3, isFailing: true },
      { kind: 'recording', waiting: 0, dropped: 0, isFailing: false },
    ],
  };

  it('are labelled by topic and place', () => {
    expect(samples(observerMetricsText(figures))).toEqual([
      'swf_build_info{version="1.2.3",schema="7"} 1',
      'swf_broker_connected 0',
      'swf_broker_reconnects_total 1',
      'swf_observer_messages_total{topic="/topic/epictopic"} 5',
      'swf_observer_last_message_timestamp_seconds 1767225600',
      'swf_observer_waiting_lines{place="store"} 2',
      'swf_observer_waiting_lines{place="recording"} 0',
      'swf_observer_dropped_messages_total{place="store"} 3',
      'swf_observer_dropped_messages_total{place="recording"} 0',
      'swf_observer_cannot_write{place="store"} 1',
      'swf_observer_cannot_write{place="recording"} 0',
    ]);
    expect(observerMetricsText(figures)).toMatch(/[^\n]\n$/);
    expect(heads(observerMetricsText(figures))).toMatchInlineSnapshot(`
      [
        "gauge swf_build_info: Version of this program.",
        "gauge swf_broker_connected: 1 while connected to the broker.",
        "counter swf_broker_reconnects_total: Reconnections to the broker.",
        "counter swf_observer_messages_total: Messages received, by topic.",
        "gauge swf_observer_last_message_timestamp_seconds: Unix time at which the newest message arrived; absent before the first.",
        "gauge swf_observer_waiting_lines: Received lines (messages and gaps) not yet written.",
        "counter swf_observer_dropped_messages_total: Messages dropped because too many lines were waiting.",
        "gauge swf_observer_cannot_write: 1 while lines cannot be written.",
      ]
    `);
  });

  it('leave out unknown values', () => {
    const text = observerMetricsText({ ...figures, isConnected: undefined, lastMessageAt: undefined });
    expect(samples(text).join('\n')).not.toMatch(/connected|last_message/);
    expect(samples(observerMetricsText({ ...figures, isConnected: true }))).toContain('swf_broker_connected 1');
  });
});

describe('the metrics of the server', () => {
  const now = Date.parse('2026-01-01T12:00:00.000Z');
  const row = (n: number, more: object) => ({
    execution_id: `run-${n}`,
    namespace: 'torre1',
    status: 'running',
    stf_count: n,
    slices_queued: 1,
    slices_completed: 2,
    slices_failed: 3,
    end_time: null,
    ...more,
  });
  const assessed = {
    health: 'slow',
    detail: { stfs_ready: 4, slices_exhausted: 5, slice_retries: 6 },
    driving: { in_hand: { count: 7, lost: 8, overdue: 9, oldest: { seconds: 10 } } },
  };
  const asked: unknown[] = [];
  const store = (running: object[], recent: object[], more: object = {}): Queries =>
    ({
      snapshot: (ask: () => unknown) => ask(),
      dataAsOf: () => '2026-01-01T11:59:58.000Z',
      executions: (filter: { status?: string }, page: object) => {
        asked.push([filter, page]);
        return { rows: filter.status === 'running' ? running : recent };
      },
      assess: () => assessed,
      ...more,
    }) as unknown as Queries;

  it('report slices of other programs as unanswered, but not how many are in hand', () => {
    const heard = { assess: () => ({ health: undefined, detail: assessed.detail }) };
    const text = samples(createMetrics('1.2.3').text(store([row(1, {})], [], heard), now));
    const ofSlices = text.filter((line) => /^swf_execution_(slices|oldest)/.test(line));
    expect(ofSlices.map((line) => line.replace(/execution_id.*torre1"/, 'R'))).toEqual([
      'swf_execution_slices{R,state="unanswered"} 1',
      'swf_execution_slices{R,state="completed"} 2',
      'swf_execution_slices{R,state="failed"} 3',
      'swf_execution_slices_stay_failed{R} 5',
    ]);
  });

  it('include its calls and the state of executions', () => {
    const began = Date.now();
    const metrics = createMetrics('1.2.3');
    metrics.beginCall('list_logs')(false);
    metrics.beginCall('list_logs')(true);
    metrics.beginCall('list_logs')(true);
    const text = samples(metrics.text(store([row(1, {})], []), now));
    expect(text.filter((line) => !/uptime|tool_seconds/.test(line))).toEqual([
      'swf_mcp_info{version="1.2.3"} 1',
      'swf_mcp_store_readable 1',
      'swf_mcp_tool_calls_total{tool="list_logs",outcome="ok"} 1',
      'swf_mcp_tool_calls_total{tool="list_logs",outcome="error"} 2',
      'swf_data_age_seconds 2',
      ...[
        'status{R,status="running"} 1',
        'health{R,health="slow"} 1',
        'stf_files{R,state="announced"} 1',
        'stf_files{R,state="ready"} 4',
        'slices{R,state="queued"} 1',
        'slices{R,state="processing"} 7',
        'slices{R,state="lost"} 8',
        'slices{R,state="completed"} 2',
        'slices{R,state="failed"} 3',
        'slices_stay_failed{R} 5',
        'slices_overdue{R} 9',
        'oldest_slice_seconds{R} 10',
        'slice_retries{R} 6',
      ].map((line) => `swf_execution_${line.replace('R', 'execution_id="run-1",namespace="torre1"')}`),
    ]);
    expect(heads(metrics.text(store([row(1, {})], []), now))).toMatchInlineSnapshot(`
      [
        "gauge swf_mcp_info: Version of the server.",
        "gauge swf_mcp_uptime_seconds: Time since the server started.",
        "gauge swf_mcp_store_readable: 1 if the store can be read.",
        "counter swf_mcp_tool_calls_total: Tool calls.",
        "counter swf_mcp_tool_seconds_total: Total time of tool calls.",
        "gauge swf_data_age_seconds: Time since the store was last written.",
        "gauge swf_execution_status: 1 for the current state of an execution; kept for an hour after its end.",
        "gauge swf_execution_health: The health of an execution, as a label; the value is always 1.",
        "gauge swf_execution_stf_files: STF files of an execution by state.",
        "gauge swf_execution_slices: TF slices of an execution by state.",
        "gauge swf_execution_slices_stay_failed: TF slices that failed permanently.",
        "gauge swf_execution_slices_overdue: Slices in progress for too long.",
        "gauge swf_execution_oldest_slice_seconds: Age of the slice that has been in progress longest.",
        "gauge swf_execution_slice_retries: Retries of TF slices.",
      ]
    `);
    const [, seconds = ''] = /tool_seconds_total\{tool="list_logs"\} (.+)/.exec(text.join('\n')) ?? [];
    expect(Number(seconds)).toBeGreaterThanOrEqual(0);
    const passed = (): number => (Date.now() - began) / 1000;
    expect(Number(seconds)).toBeLessThanOrEqual(3 * passed() + 0.01);
    const [, uptime = ''] = /^swf_mcp_uptime_seconds (.+)$/m.exec(metrics.text(undefined, Date.now() + 5000)) ?? [];
    expect(Number(uptime)).toBeGreaterThanOrEqual(5);
    expect(Number(uptime)).toBeLessThanOrEqual(5 + passed() + 0.01);
  });

  it('include running executions, and the last twenty that ended within the past hour', () => {
    const ended = Array.from({ length: 30 }, (_, n) =>
      row(100 + n, { status: 'completed', end_time: `2026-01-01T11:${String((n * 7) % 60).padStart(2, '0')}:00.000Z` }),
    );
    asked.length = 0;
    const text = createMetrics('1').text(store([row(1, {})], [row(1, {}), ...ended]), now);
    expect(asked).toEqual([
      [{ start_time: '2026-01-01T11:00:00.000Z' }, { order: 'newest', limit: 1000, uncounted: true }],
      [{ status: 'running' }, { order: 'newest', limit: 20, uncounted: true }],
    ]);
    const told = samples(text).flatMap((line) => /^swf_execution_status\{execution_id="(.+?)"/.exec(line)?.[1] ?? []);
    const last = ended.toSorted((a, b) => ((a.end_time ?? '') > (b.end_time ?? '') ? -1 : 1)).slice(0, 20);
    expect(told).toEqual(['run-1', ...last.map(({ execution_id }) => execution_id)]);
  });

  it('show when the store cannot be read, and do not hide other errors', () => {
    const fails = (error: Error): Queries =>
      store([], [], {
        dataAsOf: () => {
          throw error;
        },
      });
    const metrics = createMetrics('1');
    expect(samples(metrics.text(fails(new SwfError('STORE_CORRUPT', 'x')), now))).toContain('swf_mcp_store_readable 0');
    expect(() => metrics.text(fails(new TypeError('x')), now)).toThrow(TypeError);
    expect(samples(metrics.text(store([], [], { dataAsOf: () => undefined }), now)).join('\n')).not.toContain(
      'data_age',
    );
  });
});
