const spans = ['minute', 'hour', 'day'] as const;

/** Kinds of rows that can be summarized, and the keys of each. */
export const summaryKeys = {
  slices: [
    'status',
    'cause',
    'worker',
    'host',
    'job',
    'stf_filename',
    'tf_count',
    'attempt',
    'execution_id',
    'namespace',
    'person',
    ...spans,
  ],
  stf_files: ['status', 'has_slices', 'execution_id', 'namespace', ...spans],
  messages: ['message_type', 'agent', 'status', 'execution_id', 'namespace', ...spans],
  logs: ['level', 'agent', 'cause', 'execution_id', ...spans],
  executions: ['status', 'cause', 'execution_id', 'namespace', 'person', ...spans],
} as const;

export type Summarized = keyof typeof summaryKeys;

export const summarized = Object.keys(summaryKeys) as [Summarized, ...Summarized[]];

export type SummaryKey = (typeof summaryKeys)[Summarized][number];

/** The lengths of the spans by which rows can be grouped, in milliseconds. */
export const widthOf = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

export type Span = keyof typeof widthOf;

export const isSpan = (key: string): key is Span => Object.hasOwn(widthOf, key);

/** The start of the n-th span since 1970, with only the digits that the span needs. */
export function spanName(span: Span, n: number) {
  const iso = new Date(n * widthOf[span]).toISOString();
  return span === 'day' ? iso.slice(0, 10) : `${iso.slice(0, 16)}Z`;
}

/** Keys that can differ between attempts at a slice. */
const attemptKeys: readonly SummaryKey[] = ['cause', 'worker', 'host', 'job', 'attempt'];

/** Whether a summary of slices by these keys counts attempts. */
export const countsAttempts = (keys: readonly SummaryKey[]) => keys.some((key) => attemptKeys.includes(key));

/** The time fields to which a window can apply. */
export const timeFields = ['created', 'started', 'completed'] as const;

export type TimeField = (typeof timeFields)[number];

/** The sort orders for slices. `seconds`: the time from the start to the end of the attempt. */
export const sliceOrders = ['recorded', 'seconds', 'retries'] as const;

export type SliceOrder = (typeof sliceOrders)[number];

/** The kind of rows to summarize, the keys, and the filters. */
export interface SummaryQuestion extends Partial<
  Record<'execution_id' | 'namespace' | 'status' | 'assigned_worker' | 'start_time' | 'end_time', string | undefined>
> {
  what: Summarized;
  /** One or two keys. */
  keys: readonly SummaryKey[];
  /** The time to which the window applies. */
  time_field: TimeField;
}
