import type { Transaction } from '../../../src/db/sqlite/transaction.ts';
import { insert, type Row } from '../observed/observed-rows.ts';

/** A second of one day, ISO 8601. */
export const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

/** Writes an STF file of execution `e`, made in a second. */
export const stf = (tx: Transaction, name: string, second: number, more: Row = {}): void =>
  insert(tx, 'stf_files', {
    stf_filename: name,
    execution_id: 'e',
    sequence: 1,
    tf_count: 100,
    status: 'registered',
    created_at: at(second),
    ...more,
  });

/** The same of a TF sample. */
export const sample = (tx: Transaction, name: string, second: number, more: Row = {}): void =>
  insert(tx, 'fastmon_files', { tf_filename: name, execution_id: 'e', created_at: at(second), ...more });

/** The same of a TF slice. */
export const slice = (tx: Transaction, name: string, second: number, more: Row = {}): void =>
  insert(tx, 'tf_slices', {
    slice_filename: name,
    slice_id: 0,
    tf_filename: 't',
    execution_id: 'e',
    status: 'queued',
    attempt: 1,
    created_at: at(second),
    ...more,
  });
