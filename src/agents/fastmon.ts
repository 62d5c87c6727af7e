import { planOf } from '../domain/plan/versions.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { Agent, AgentContext } from './agent.ts';

/** The fast monitoring agent: writes the planned samples of every ready STF as TF files. */
export const fastmonAgent: Agent = {
  type: 'fastmon',
  reads: ['stf_ready'],
  emits: ['tf_file_registered'],
  makesFiles: true,
  handle: (message, context) => (message.msg_type === 'stf_ready' ? sampleStf(message, context) : []),
};

async function sampleStf(message: Message<'stf_ready'>, context: AgentContext) {
  const { filename: stf_filename, sequence, tf_count: frames } = message;
  const frameBytes = context.params.daq_state_machine.tf_size_bytes;
  const drafts: Draft[] = [];
  for (const sample of planOf(context.params).samples({ run: context.run_number, sequence, tf_count: frames })) {
    const { tf_filename, tf_first, tf_last, tf_count } = sample;
    const range = { first: tf_first, last: tf_last, frameBytes };
    const facts = await context.files.copyFrames(stf_filename, tf_filename, range);
    drafts.push({ msg_type: 'tf_file_registered', tf_filename, stf_filename, tf_first, tf_last, tf_count, ...facts });
    context.log({ level: 'INFO', message: `sample ${tf_filename} contains frames ${tf_first} to ${tf_last}` });
  }
  return drafts;
}
