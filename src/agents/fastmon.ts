import { planSamples } from '../domain/plan.ts';
import type { Draft, Message } from '../messages/vocabulary.ts';
import type { Agent, AgentContext } from './agent.ts';

/** The fast monitoring agent: writes the planned samples of every STF that is ready as TF files. */
export const fastmonAgent: Agent = {
  type: 'fastmon',
  reads: ['stf_ready'],
  handle: (message, context) => (message.msg_type === 'stf_ready' ? sampleStf(message, context) : []),
};

async function sampleStf(message: Message<'stf_ready'>, context: AgentContext): Promise<Draft[]> {
  const { filename, sequence, tf_count } = message;
  const frameBytes = context.params.daq_state_machine.tf_size_bytes;
  const samples: Draft[] = [];
  for (const sample of planSamples({ run: context.run_number, sequence, tf_count }, context.params)) {
    const { tf_filename, tf_first, tf_last } = sample;
    const facts = await context.files.copyFrames(filename, tf_filename, { first: tf_first, last: tf_last, frameBytes });
    samples.push({
      msg_type: 'tf_file_registered',
      tf_filename,
      stf_filename: filename,
      tf_first,
      tf_last,
      tf_count: sample.tf_count,
      ...facts,
    });
    context.log({ level: 'INFO', message: `sample ${tf_filename} holds frames ${tf_first} to ${tf_last}` });
  }
  return samples;
}
