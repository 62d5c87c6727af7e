import * as z from 'zod';

import { messageEffects } from './effects.ts';
import {
  boolean,
  int,
  object,
  objects,
  oneOf,
  optionalFloat,
  optionalInt,
  optionalOneOf,
  optionalString,
  optionalTrue,
  string,
} from './fields.ts';
import { alarmSeverities, alarmStates, qualities } from './logbook-words.ts';
import { phases } from './run-phases.ts';
import { sitesOfFile } from './site-fields.ts';
import { sliceStatuses } from './slice-states.ts';
import { agentStates, agentStatuses, executionStatuses, healths, origins, stfStatuses } from './states.ts';

/** How a terminal shows a value: `commands/tables/cells.ts` has the text for each look. */
export type Look =
  | 'text'
  | 'name'
  | 'id'
  | 'person'
  | 'state'
  | 'standing'
  | 'number'
  | 'failed'
  | 'time'
  | 'seconds'
  | 'life'
  | 'error'
  | 'log line'
  | 'sentence'
  | 'body'
  | 'files'
  | 'reasons';

interface Shown {
  head: string;
  look: Look;
  /** The order in which columns are left out if a table is too wide, highest first; 0: never. */
  drop: number;
}

/** How terminals show columns, keyed by the columns' schemas. Columns that are not listed here are for programs. */
export const shownColumns = z.registry<Shown>();

function column<Schema extends z.ZodType>(schema: Schema, head: string, look: Look = 'text', drop = 0) {
  const own = schema.clone();
  shownColumns.add(own, { head, look, drop });
  return own;
}

/**
 * The columns of each list, by tool, in the order of the answer. They determine which values are read, what the
 * answer contains, and how terminals show the list. To add a column, add a line; `db/lists/` has the SQL for
 * values that are not in a table, and `tools/` computes values from a row. Times are ISO 8601, and durations
 * are in seconds.
 */
const lists = {
  list_workflow_executions: () => ({
    execution_id: column(string, 'EXECUTION', 'id'),
    origin: oneOf(origins),
    workflow_name: optionalString,
    namespace: column(optionalString, 'NAMESPACE'),
    status: column(oneOf(executionStatuses), 'STATE', 'standing'),
    phase: oneOf(phases),
    run_number: column(optionalInt, 'RUN', 'number'),
    executed_by: column(optionalString, 'BY'),
    start_time: column(string, 'STARTED', 'time'),
    end_time: optionalString,
    stf_count: column(int, 'STFS', 'number', 2),
    slices_created: column(optionalInt, 'SLICES', 'number', 1),
    slices_planned: column(optionalInt.describe('For the whole run, if planned'), 'PLANNED', 'number'),
    slices_completed: column(optionalInt, 'DONE', 'number'),
    slices_failed: column(optionalInt, 'FAILED', 'failed'),
    stf_failed: optionalInt,
    health: column(optionalOneOf(healths).describe('Absent if no longer heard'), 'HEALTH', 'state'),
    status_reason: column(optionalString, 'REASON', 'sentence'),
    duration_seconds: column(optionalFloat, 'TOOK', 'life'),
    silent_seconds: optionalFloat.describe('Since its driver last sent a heartbeat'),
    bytes: column(optionalInt, 'BYTES', 'number'),
    retries: column(optionalInt, 'RETRIES', 'number', 3),
    speed: column(optionalString, 'SPEED'),
    quality: column(optionalOneOf(qualities), 'QUALITY', 'state', 4),
  }),
  list_tf_slices: () => ({
    slice_filename: column(string, 'SLICE', 'name'),
    slice_id: int,
    tf_filename: column(string, 'TF FILE', 'name'),
    stf_filename: optionalString,
    run_number: optionalInt,
    execution_id: column(string, 'EXECUTION', 'name'),
    tf_first: column(optionalInt, 'FROM', 'number'),
    tf_last: column(optionalInt, 'TO', 'number'),
    tf_count: optionalInt,
    status: column(oneOf(sliceStatuses), 'STATUS', 'state'),
    retries: column(int, 'RETRIES', 'number', 3),
    assigned_worker: column(optionalString, 'WORKER', 'name', 2),
    host: column(optionalString.describe("The worker's host"), 'HOST'),
    worker_gone: optionalTrue,
    created_at: column(string, 'CREATED', 'time'),
    assigned_at: column(optionalString, 'STARTED', 'time'),
    completed_at: column(optionalString, 'COMPLETED', 'time', 4),
    seconds: column(optionalFloat.describe('From hand-over to result, wall time'), 'TOOK', 'seconds', 1),
    processing_seconds: optionalFloat.describe('Measured by its worker: wall time; placeholder: simulated time'),
    error: column(optionalString, 'ERROR', 'error'),
    payload: column(optionalString.describe('Name and digest; absent for the placeholder'), 'PAYLOAD'),
    exit_code: column(optionalInt.describe('Of the payload command'), 'EXIT', 'number'),
    signal: column(optionalString.describe('That killed the payload command'), 'SIGNAL'),
    output_tail: optionalString.describe('The end of its output, if it failed'),
    outputs: column(
      objects({ name: string, size_bytes: int, checksum: string }).optional().describe('Files that it wrote'),
      'OUTPUTS',
      'files',
    ),
    outputs_folder: optionalString.describe(
      "In the run's data folder if absolute, otherwise below the host's data.dir",
    ),
    outputs_omitted: optionalInt.describe('Number of files not listed'),
  }),
  list_stf_files: () => ({
    stf_filename: column(string, 'STF FILE', 'name'),
    run_number: optionalInt,
    execution_id: column(string, 'EXECUTION', 'name'),
    sequence: column(optionalInt, 'NUMBER', 'number'),
    status: column(oneOf(stfStatuses), 'STATUS', 'state'),
    checksum: column(optionalString, 'CHECKSUM'),
    size_bytes: column(optionalInt, 'BYTES', 'number', 3),
    tf_count: column(optionalInt, 'FRAMES', 'number', 4),
    tf_file_count: column(int, 'SAMPLES', 'number'),
    slice_count: column(optionalInt, 'SLICES', 'number'),
    created_at: column(string, 'CREATED', 'time', 1),
    registered_at: column(optionalString, 'REGISTERED', 'time', 5),
    processed_at: column(optionalString, 'PROCESSED', 'time', 2),
    sites: column(sitesOfFile(), 'SITES', 'files'),
  }),
  list_tf_files: () => ({
    tf_filename: column(string, 'TF FILE', 'name'),
    stf_filename: column(optionalString, 'STF FILE', 'name'),
    run_number: optionalInt,
    execution_id: column(string, 'EXECUTION', 'name'),
    tf_first: column(optionalInt, 'FROM', 'number'),
    tf_last: column(optionalInt, 'TO', 'number'),
    tf_count: column(optionalInt, 'FRAMES', 'number', 3),
    size_bytes: column(optionalInt, 'BYTES', 'number', 2),
    slice_count: column(optionalInt, 'SLICES', 'number'),
    created_at: column(string, 'CREATED', 'time', 1),
  }),
  list_messages: () => ({
    message_id: column(string, 'MESSAGE ID', 'name'),
    message_type: column(string, 'TYPE'),
    sender_agent: column(optionalString, 'SENDER', 'name', 1),
    namespace: optionalString,
    sent_at: column(string, 'SENT', 'time'),
    execution_id: column(optionalString, 'EXECUTION', 'name'),
    run_id: optionalString,
    destination: column(string, 'DESTINATION'),
    effect: column(oneOf(messageEffects), 'EFFECT', 'state', 2),
    effect_reason: column(optionalString, 'REASON'),
    repeats: optionalString.describe('The message with the same content, which counts'),
    contradicts: optionalString,
    body: column(z.record(string, z.unknown()).optional(), 'SAYS', 'body'),
    body_truncated: optionalTrue,
    payload: optionalString,
    payload_truncated: optionalTrue,
  }),
  list_logs: () => ({
    log_id: int,
    timestamp: column(string, 'TIME', 'time'),
    level: column(string, 'LEVEL', 'state'),
    agent: column(string, 'AGENT', 'name', 1),
    message: column(string, 'MESSAGE', 'log line'),
    execution_id: column(optionalString, 'EXECUTION', 'name'),
    run_id: optionalString,
    context: column(optionalString.describe('JSON, cut at 2,000 characters'), 'CONTEXT'),
  }),
  list_agents: () => ({
    agent_name: column(string, 'AGENT', 'name'),
    agent_type: column(string, 'TYPE'),
    namespace: column(string, 'NAMESPACE'),
    state: column(optionalOneOf(agentStates), 'STATE', 'state'),
    status: column(optionalOneOf(agentStatuses).describe('Absent for other programs'), 'STATUS', 'state'),
    last_heartbeat: column(string, 'LAST HEARD', 'time', 2),
    heartbeat_age_seconds: column(optionalFloat, 'AGO', 'seconds'),
    pid: column(optionalInt, 'PID', 'number'),
    hostname: column(optionalString, 'HOST'),
    current_execution_id: column(optionalString, 'EXECUTION', 'name', 1),
    free_slots: optionalInt,
    off_duty: column(
      objects({ reason: string, name: string, since: optionalString, detail: optionalString }).optional(),
      'OFF DUTY',
      'reasons',
    ),
    clock_offset_seconds: optionalFloat,
  }),
  list_alarms: () => ({
    alarm_id: column(string, 'ALARM', 'name'),
    code: column(string, 'CODE'),
    subject: column(string, 'SUBJECT', 'id'),
    severity: column(oneOf(alarmSeverities), 'SEVERITY', 'state', 2),
    state: column(oneOf(alarmStates), 'STATE', 'state'),
    sentence: column(string.describe('Of its finding; the last one if cleared'), 'SAYS', 'sentence', 1),
    raised_sentence: optionalString.describe('The sentence when it was raised, if different'),
    execution_id: column(optionalString, 'EXECUTION', 'name'),
    raised_at: column(string, 'RAISED', 'time'),
    count: column(int, 'COUNT', 'number'),
    seen_by: column(optionalString, 'SEEN BY', 'person'),
    seen_at: column(optionalString, 'SEEN', 'time'),
    seen_text: column(optionalString, 'SAID'),
    cleared_at: column(optionalString, 'OVER', 'time'),
  }),
};

/** The name of a list, which is the name of its tool. */
export type ListName = keyof typeof lists;

type Columns<List extends ListName> = ReturnType<(typeof lists)[List]>;

const made = new Map<ListName, z.ZodRawShape>();

/** The columns of a list. Their schemas are created on first use, since startup needs none. */
export function listColumns<List extends ListName>(list: List): Columns<List> {
  const columns = made.get(list) ?? lists[list]();
  made.set(list, columns);
  return columns as Columns<List>;
}

export type ListItem<List extends ListName> = z.infer<z.ZodObject<Columns<List>>>;

/** One page of a list: its items, and how to get the next page. */
export const pageAnswer = <Item extends z.ZodObject>(item: Item) =>
  object({
    items: z.array(item),
    total_count: int.describe('All matching rows, on all pages'),
    total_is_lower_bound: optionalTrue.describe('There may be more than total_count: counting all takes too long'),
    has_more: boolean,
    next_cursor: optionalString,
    data_as_of: optionalString.describe('When the store was last written'),
    note: optionalString.describe('Why a page is short or empty'),
  });

export type Page<Item> = Omit<z.infer<ReturnType<typeof pageAnswer<z.ZodObject>>>, 'items'> & { items: Item[] };
