import type { Draft, Message } from '../messages/message.ts';
import type { Agent, AgentContext } from './agent.ts';

/** The data agent: measures every STF file that the DAQ announces and reports it ready. */
export const dataAgent: Agent = {
  type: 'data',
  reads: ['run_imminent', 'stf_gen', 'end_run'],
  emits: ['stf_ready'],
  handle(message, context) {
    const { run_number } = context;
    switch (message.msg_type) {
      case 'stf_gen':
        return registerStf(message, context);
      case 'run_imminent':
        context.log({ level: 'INFO', message: `dataset swf.${run_number}.run was opened` });
        return [];
      case 'end_run':
        context.log({ level: 'INFO', message: `run ${run_number} ended after ${message.total_stf_files} STF files` });
        return [];
      default:
        return [];
    }
  },
};

async function registerStf(message: Message<'stf_gen'>, context: AgentContext): Promise<Draft[]> {
  const { filename, sequence, tf_count, file_url } = message;
  const frameBytes = context.params.daq_state_machine.tf_size_bytes;
  const facts = await context.files.measure(filename, { tf_count, frameBytes });
  if (facts.size_bytes !== tf_count * frameBytes)
    throw new Error(`${filename} has ${facts.size_bytes} bytes, not ${tf_count} frames of ${frameBytes} bytes`);
  context.log({ level: 'INFO', message: `STF file ${filename} is ready`, context: { size_bytes: facts.size_bytes } });
  // The file's address is the one that the DAQ gave, whatever the file's path on this host is.
  return [{ msg_type: 'stf_ready', filename, sequence, tf_count, ...facts, file_url: file_url ?? facts.file_url }];
}
