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

/** A description of each message type. A new type does not compile without one. */
export const messageWords: Record<MessageType, MessageWords> = {
  run_workflow: {
    about:
      'Requests an execution. The message has no `execution_id` yet. The recorder fills in the fields that a request lacks.',
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
    about: "A sample of an STF file's TFs is ready to be read.",
    from: 'the fastmon agent',
    to: 'the recorder (fast processing)',
  },
  slice: {
    about: 'One attempt at a TF slice, with everything that a worker needs for it.',
    from: 'the recorder (fast processing)',
    to: 'one worker',
  },
  slice_started: { about: 'A worker has begun an attempt.', from: 'a worker', to: 'the recorder that sent the slice' },
  slice_result: { about: 'A worker has ended an attempt.', from: 'a worker', to: 'the recorder that sent the slice' },
  slice_returned: {
    about: 'A worker cannot process the slice. This uses up no attempt.',
    from: 'a worker',
    to: 'the recorder that sent the slice',
  },
  stop_workflow: {
    about: 'Ends an execution.',
    from: '`swf-mcp stop`, an agent that cannot continue, or other programs',
    to: 'the recorder',
  },
  pause_workflow: { about: 'Pauses an execution.', from: '`swf-mcp pause` or other programs', to: 'the recorder' },
  resume_workflow: {
    about: 'Continues a paused execution.',
    from: '`swf-mcp continue`, `swf-mcp resume` while a recorder service is running, or other programs',
    to: 'the recorder',
  },
  driver_started: { about: 'A process begins to drive the execution.', from: recorder, to: everyone },
  driver_ended: { about: 'The driver has stopped driving the execution.', from: recorder, to: everyone },
  driver_lost: {
    about: 'The process of a driver has vanished. The next driver reports this.',
    from: recorder,
    to: everyone,
  },
  workflow_ended: { about: 'The execution has ended; the message contains its counts.', from: recorder, to: everyone },
  note: { about: "A person's note, about a run or in general.", ...logbook },
  quality: { about: 'A person judges the quality of a run.', ...logbook },
  alarm_raised: { about: 'A finding has persisted long enough to raise an alarm.', ...logbook },
  alarm_seen: { about: 'A person has seen an alarm.', ...logbook },
  alarm_cleared: { about: 'The finding behind an alarm is gone.', ...logbook },
};

/** A description of each field. A new field does not compile without one. */
export const fieldWords: Record<FieldOf<MessageType> | keyof Envelope, string> = {
  message_id: 'id of the message, in the form given below for its type; if left out, the recorder derives it',
  sender: 'name of the agent or program',
  namespace: 'namespace of the execution; agents in other namespaces ignore the message',
  execution_id: 'id of the execution that the message is about, if any',
  run_id: 'run number, as text',
  timestamp: 'when the message was sent, ISO 8601 in UTC',
  simulation_tick: 'simulated time since the start of the execution, s',
  command_id: 'identifies the command, so that two deliveries count as one',
  workflow_name: 'part of the execution id',
  config: 'name of a configuration',
  params: 'workflow parameters that differ from the configuration',
  plan_version: 'version of the plan, which samples the frames and cuts them into slices',
  executed_by: 'user who starts the execution',
  speed: 'simulated seconds per second, or `max`',
  state: 'state of the DAQ',
  substate: 'substate of the DAQ',
  workflow_params: 'parameters of the workflow, and the speed',
  filename: 'name of the STF file',
  sequence: 'number of the STF file in the run, from 1',
  tf_count: 'number of TFs',
  file_url: 'where the file is',
  ordinal: "number among the run's pauses and resumptions, counted together, from 1",
  reason: 'why',
  total_stf_files: 'number of STF files in the run',
  checksum: 'checksum of the file: `sha256:` and hex digits',
  size_bytes: 'size of the file',
  tf_filename: 'name of the TF sample',
  stf_filename: 'name of the STF file that the sample comes from',
  tf_first: 'first TF of the sample, as an index in the STF file',
  tf_last: 'last TF of the sample, inclusive',
  slice_id: 'number of the slice in the STF file, from 0',
  slice_filename: 'name of the slice, unique in the execution',
  attempt: 'number of the attempt, from 1',
  start: 'first TF of the slice, as an index in the STF file',
  end: 'last TF of the slice, inclusive',
  slice_processing_time: 'simulated duration of the work if there is no payload, s',
  tf_size_bytes: 'size of one TF in the file',
  payload: 'program to run, by name and digest; if left out, the work is simulated',
  timeout_seconds: 'time after which the payload is killed, s',
  worker_id: 'worker and slot, such as `NAME/03`',
  hostname: 'host of the process',
  processing_seconds: 'duration of the work, s; for the placeholder, in simulated time',
  took_seconds: 'wall time from start to result, by a monotonic clock, s',
  error: 'why the attempt failed',
  exit_code: 'exit code of the payload',
  signal: 'signal that ended the payload',
  output_tail: "last part of a failed payload's output",
  outputs: 'files that the payload wrote',
  outputs_omitted: 'number of files that are not listed',
  detail: 'the reason in words',
  claimed_by: 'person who gave the command, according to the sender',
  epoch: 'number of the driver of the execution, from 1',
  pid: 'process id',
  user: 'user of the process',
  version: 'version of swf-mcp',
  cause: 'how the driver ended',
  code: 'error code of a fault',
  last_sign: 'when the lost driver was last heard from, ISO 8601',
  last_sign_by: 'kind of that last sign of life',
  status: 'status of the execution',
  stf_count: 'number of STF files',
  tf_files_received: 'number of TF samples',
  slices_created: 'number of slices',
  slices_queued: 'of these, waiting',
  slices_processing: 'of these, in progress',
  slices_completed: 'of these, done',
  slices_failed: 'of these, failed permanently',
  text: 'what the person wrote',
  author: 'name of the person',
  at: 'time that the note is about, ISO 8601',
  about: 'file, worker or message that the note is about',
  for_next: 'whether the next shift should read the note first',
  value: 'the quality; `none` clears an earlier one',
  subject: 'execution id, followed by `:` and a name if the finding is about a slice, file, worker or host',
  sentence: 'sentence of the finding',
  severity: 'severity of the finding',
  count: 'how many times the alarm has been raised, from 1',
};

/** The descriptions of fields that mean something else in one message type. */
export const ownWords: Readonly<Record<string, string>> = {
  'envelope.msg_type': 'type of the message, in the body as well as in the header',
  'slice.size_bytes': "size of the slice's TFs",
  'slice.speed': 'simulated seconds per second',
  'slice_result.state': 'how the attempt ended',
  'alarm_raised.code': 'code of the finding',
  'alarm_seen.code': 'code of the finding',
  'alarm_cleared.code': 'code of the finding',
  'stop_workflow.state': 'how the execution ends',
  'stop_workflow.filename': 'the file at which the agent gave up',
};
