import type { DaqStep } from '../domain/daq-schedule.ts';
import { stfFilename } from '../domain/file-names.ts';
import { workflowParamsOf } from '../domain/params.ts';
import type { PreparedFile } from '../files/data-files.ts';
import type { Draft } from '../messages/message.ts';
import type { ExecutionContext } from './agent.ts';

type Context = ExecutionContext['agent'];

/** Builds the message for one step of the schedule. For an STF, publishes the file first, which may be `written` already. Throws the errors of `DataFiles`. */
export async function draftOf(step: DaqStep, context: Context, written?: Promise<PreparedFile>): Promise<Draft> {
  switch (step.msg_type) {
    case 'run_imminent': {
      const workflow_params = workflowParamsOf(context.params);
      return { msg_type: 'run_imminent', state: 'beam', substate: 'not_ready', workflow_params };
    }
    case 'start_run':
      return { msg_type: 'start_run', state: 'physics' };
    case 'stf_gen':
      return generateStf(step.sequence, context, written ?? writeStf(step.sequence, context));
    case 'pause_run':
    case 'resume_run':
      return { msg_type: step.msg_type, ordinal: step.ordinal, reason: step.reason };
    case 'end_run':
      return { msg_type: 'end_run', total_stf_files: step.total_stf_files, reason: 'completed' };
  }
}

/** Writes the file of an STF, without publishing it. */
export function writeStf(sequence: number, context: Context): Promise<PreparedFile> {
  const { tf_per_stf: tf_count, tf_size_bytes: frameBytes } = context.params.daq_state_machine;
  const { run_number: run } = context;
  return context.files.prepareStf({ filename: stfFilename(run, sequence), run, sequence, tf_count, frameBytes });
}

async function generateStf(sequence: number, context: Context, written: Promise<PreparedFile>): Promise<Draft> {
  const { file_url } = await (await written).publish();
  return {
    msg_type: 'stf_gen',
    filename: stfFilename(context.run_number, sequence),
    sequence,
    tf_count: context.params.daq_state_machine.tf_per_stf,
    state: 'physics',
    ...(file_url === undefined ? {} : { file_url }),
  };
}

export function daqSentence(step: DaqStep): string {
  switch (step.msg_type) {
    case 'run_imminent':
      return 'beam, not ready: a run is imminent';
    case 'start_run':
      return 'physics begins';
    case 'stf_gen':
      return `STF ${step.sequence} is generated`;
    case 'pause_run':
      return `standby (${step.reason})`;
    case 'resume_run':
      return `physics goes on (${step.reason})`;
    case 'end_run':
      return `the run ends with ${step.total_stf_files} STF files`;
  }
}
