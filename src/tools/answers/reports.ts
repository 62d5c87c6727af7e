import * as z from 'zod';

import {
  float,
  int,
  object,
  objects,
  oneOf,
  optionalBoolean,
  optionalFloat,
  optionalInt,
  optionalString,
  string,
  strings,
} from '../../domain/fields.ts';
import { listColumns } from '../../domain/list-columns.ts';
import { siteWork } from './timeline.ts';

/** The answer of `audit_execution`. The ids name the missing items. */
export const auditAnswer = () =>
  object({
    execution_id: string,
    status: string,
    verdict: oneOf(['balanced', 'open', 'broken']),
    summary: string,
    slices_failed: optionalInt.describe('Failed permanently'),
    checks: objects({
      check: string,
      state: oneOf(['ok', 'open', 'broken', 'unknown']),
      expected: int,
      found: int,
      problem: optionalString,
      ids: strings,
      id_count: int,
    }),
    sites: siteWork().optional(),
    data_as_of: optionalString,
  });

export type Audit = z.infer<ReturnType<typeof auditAnswer>>;

const pair = object({ a: float, b: float });

/** The answer of `compare_executions`. Delays are seconds of wall time. */
export const comparisonAnswer = () =>
  object({
    a: string,
    b: string,
    status: object({ a: string, b: string }),
    differences: strings,
    figures: z.record(string, pair),
    stages: objects({ stage: string, p50: pair, p95: pair, max: pair }),
    configuration: objects({ key: string, a: optionalString, b: optionalString }),
    data_as_of: optionalString,
  });

export type Comparison = z.infer<ReturnType<typeof comparisonAnswer>>;

/** The frames of a slice and the outcome of its last attempt, in the fields of `list_tf_slices`. */
export const sliceResult = () =>
  object(listColumns('list_tf_slices')).partial().pick({
    host: true,
    tf_first: true,
    tf_last: true,
    seconds: true,
    exit_code: true,
    signal: true,
    output_tail: true,
    outputs: true,
    outputs_folder: true,
    outputs_omitted: true,
  });

/** The answer from `trace_data_product`. Times are ISO 8601; delays are seconds of wall time. */
export const traceAnswer = () =>
  object({
    filename: string,
    kind: oneOf(['stf', 'tf', 'slice']),
    execution_id: string,
    run_number: optionalInt,
    status: string,
    stf_filename: optionalString,
    tf_filename: optionalString,
    attempts: optionalInt.describe('Attempts begun by a worker'),
    worker: optionalString,
    payload: optionalString.describe('For a slice: name and digest'),
    slice: sliceResult().optional(),
    standing: optionalString.describe('Its current state'),
    waiting_seconds: optionalFloat,
    queued_before: optionalInt.describe('Slices of its execution ahead of it'),
    hops: objects({
      type: string,
      time: string,
      delay_seconds: optionalFloat,
      by: optionalString,
      worker: optionalString,
      attempt: optionalInt,
      outcome: optionalString,
      effect: string,
      note: optionalString,
      message_id: string,
    }),
    more_hops: optionalBoolean.describe('More exist than are shown'),
    total_seconds: optionalFloat,
    slices: z.record(string, int).optional(),
    logs: objects({ time: string, agent: string, message: string, log_id: int }),
    data_as_of: optionalString,
  });

export type Trace = z.infer<ReturnType<typeof traceAnswer>>;
