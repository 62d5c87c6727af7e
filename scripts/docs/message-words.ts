import type * as z from 'zod';

import type { Envelope } from '../../src/messages/fields.ts';
import type { MessageType, Vocabulary } from '../../src/messages/vocabulary.ts';

type FieldOf<T extends MessageType> = T extends MessageType
  ? keyof z.infer<ReturnType<Vocabulary[T]['fields']>>
  : never;

interface MessageWords {
  about: string;
  from: string;
  to: string;
}

const recorder = 'the recorder (DAQ simulator)';
const everyone = 'all listeners';
/** Entries of the logbook never leave the store. */
const logbook = { from: 'the process that writes the logbook', to: 'the store' };

/** Each message in words. The compiler asks for those of a new one. */
export const messageWords: Record<MessageType, MessageWords> = {
  run_workflow: {
    about: 'Requests an execution. It has no `execution_id` yet.',
    from: '`swf-mcp request` or other programs',
    to: 'the recorder',
  },
  run_imminent: { about: 'The run is about to begin.', from: recorder, to: everyone },
  start_run: { about: 'Data taking begins.', from: recorder, to: everyone },
  stf_gen: { about: 'The DAQ has written an STF file.', from: recorder, to: 'the data agent' },
  pause_run: { about: 'Data taking pauses: workers take no new slices.', from: recorder, to: everyone },
  resume_run: { about: 'Data taking continues.', from: recorder, to: everyone },
  end_run: { about: 'Data taking has ended. Slices may still be in progress.', from: recorder, to: everyone },
  stf_ready: { about: 'An STF file is registered and can be read.', from: 'the data agent', to: 'the fastmon agent' },
  tf_file_registered: {
    about: 'A sample of TFs of an STF file can be read.',
    from: 'the fastmon agent',
    to: 'the recorder (fast processing)',
  },
  slice: {
    about: 'One attempt at a TF slice, with everything that a worker needs to do it.',
    from: 'the recorder (fast processing)',
    to: 'one worker',
  },
  slice_started: { about: 'A worker has begun an attempt.', from: 'a worker', to: 'the recorder of the slice' },
  slice_result: { about: 'A worker has ended an attempt.', from: 'a worker', to: 'the recorder of the slice' },
  slice_returned: {
    about: 'A worker cannot do the slice. This uses up no attempt.',
    from: 'a worker',
    to: 'the recorder of the slice',
  },
  stop_workflow: {
    about: 'Ends an execution.',
    from: '`swf-mcp stop` or an agent that cannot continue',
    to: 'the recorder',
  },
  pause_workflow: { about: 'Pauses an execution.', from: '`swf-mcp pause` or other programs', to: 'the recorder' },
  resume_workflow: {
    about: 'Continues a paused execution.',
    from: '`swf-mcp continue`, `swf-mcp resume` beside a recorder service, or other programs',
    to: 'the recorder',
  },
  driver_started: { about: 'A process begins to drive the execution.', from: recorder, to: everyone },
  driver_ended: { about: 'That process has stopped driving the execution.', from: recorder, to: everyone },
  driver_lost: {
    about: 'That process has vanished. Its successor reports it.',
    from: recorder,
    to: everyone,
  },
  workflow_ended: { about: 'The execution has ended; the message contains its counts.', from: recorder, to: everyone },
  note: { about: "A person's note, about a run or in general.", ...logbook },
  quality: { about: 'A person judges the quality of a run.', ...logbook },
  alarm_raised: { about: 'A finding has persisted long enough.', ...logbook },
  alarm_seen: { about: 'A person has seen an alarm.', ...logbook },
  alarm_cleared: { about: 'The finding of an alarm has cleared.', ...logbook },
};

/** Each field in words. The compiler asks for those of a new one. */
export const fieldWords: Record<FieldOf<MessageType> | keyof Envelope, string> = {
  message_id: 'the id shown with each message; if left out, the recorder derives it',
  sender: 'name of the agent or program',
  namespace: 'of the execution: others ignore the message',
  execution_id: 'of the execution; absent in `run_workflow`, and where no execution is meant',
  run_id: 'run number as text',
  timestamp: 'when it was sent, ISO 8601 in UTC',
  simulation_tick: 'simulated time since the start of the execution, s',
  command_id: 'identifies the command, so that two deliveries count as one',
  workflow_name: 'part of the execution id',
  config: 'name of a configuration',
  params: 'workflow parameters that differ from the configuration',
  plan_version: 'version of the rule by which frames are sampled and cut',
  executed_by: 'user',
  speed: 'simulated seconds per second, or `max`',
  state: 'of the DAQ',
  substate: 'of the DAQ',
  workflow_params: 'all parameters of the execution',
  filename: 'of the STF file',
  sequence: 'number of the STF file in the run, from 1',
  tf_count: 'number of TFs',
  file_url: 'where the file is',
  ordinal: 'number of the pause in the run, from 1',
  reason: 'why',
  total_stf_files: 'STF files of the run',
  checksum: '`sha256:` and hex digits, of the file',
  size_bytes: 'of the file',
  tf_filename: 'of the TF sample',
  stf_filename: 'of the STF file that the sample comes from',
  tf_first: 'first TF of the sample, index in the STF file',
  tf_last: 'last TF of the sample, inclusive',
  slice_id: 'number of the slice in the TF sample, from 0',
  slice_filename: 'names the slice in the execution',
  attempt: 'from 1; a failed attempt is followed by the next one',
  start: 'first TF of the slice, index in the STF file',
  end: 'last TF of the slice, inclusive',
  slice_processing_time: 'simulated duration of the work, s, without a payload',
  tf_size_bytes: 'size of one TF in the file',
  payload: 'program to run, by name and digest; if left out, the work is simulated',
  timeout_seconds: 'after which the payload is killed, s',
  worker_id: 'worker and slot, such as `NAME/03`',
  hostname: 'of the process',
  processing_seconds: 'duration of the work, s; for the placeholder, in simulated time',
  took_seconds: 'wall time from start to result by a monotonic clock, s',
  error: 'why it failed',
  exit_code: 'of the payload',
  signal: 'that ended the payload',
  output_tail: 'end of what a failed payload printed',
  outputs: 'files that the payload wrote',
  outputs_omitted: 'how many files are not listed',
  detail: 'the reason in words',
  claimed_by: 'person who gave the command, as the sender claims',
  epoch: 'number of the driver of the execution, from 1',
  pid: 'process id',
  user: 'of the process',
  version: 'of swf-mcp',
  cause: 'how it ended',
  code: 'error code of a fault',
  last_sign: 'when the lost driver was last heard from, ISO 8601',
  last_sign_by: 'the kind of that last message',
  status: 'of the execution',
  stf_count: 'STF files',
  tf_files_received: 'TF samples',
  slices_created: 'slices',
  slices_queued: 'of these, waiting',
  slices_processing: 'of these, in progress',
  slices_completed: 'of these, done',
  slices_failed: 'of these, failed permanently',
  text: 'what the person wrote',
  author: 'name of the person',
  at: 'time that the note is about, ISO 8601',
  about: 'file, worker or message that the note is about',
  for_next: 'whether the next shift should read it first',
  value: '`none` withdraws an earlier quality',
  subject: 'execution id, and `:` with the slice, file, worker or host',
  sentence: 'of the finding',
  severity: 'of the finding',
  count: 'how often the alarm was raised, from 1',
};

/** Where a field means something else in one message. */
export const ownWords: Readonly<Record<string, string>> = {
  'envelope.msg_type': 'the type, in the body too',
  'slice.size_bytes': 'of the TFs of the slice',
  'slice_result.state': 'how the attempt ended',
  'alarm_raised.code': 'of the finding',
  'alarm_seen.code': 'of the finding',
  'alarm_cleared.code': 'of the finding',
  'stop_workflow.state': 'the end to record',
  'stop_workflow.filename': 'the file at which the agent gave up',
};
