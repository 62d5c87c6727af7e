import { expect, it } from 'vitest';

import { MemoryBroker } from '../brokers/memory-broker.ts';
import { useFastTime } from '../fast-time.ts';
import { noCounts } from '../helpers.ts';
import { MemorySite } from './memory-site.ts';

const broadcast = '/topic/epictopic';

const stf = (execution_id: string, sequence: number) => ({
  msg_type: 'stf_gen',
  sender: 'daq_simulator-agent-x-1',
  execution_id,
  run_id: '7',
  filename: `swf.7.${String(sequence).padStart(6, '0')}.stf`,
  sequence,
  tf_count: 100,
});

const ended = (execution_id: string) => ({
  msg_type: 'workflow_ended',
  sender: 'daq_simulator-agent-x-1',
  execution_id,
  run_id: '7',
  status: 'terminated',
  reason: 'stopped',
  ...noCounts,
  stf_count: 5,
});

useFastTime(30);

it('an agent drops the messages of an ended execution that no recorder reported, and answers those of the next', async () => {
  const broker = new MemoryBroker();
  const here = new MemorySite(broker, { fast_processing: { slice_processing_time: 1 } });
  const namespace = here.namespace;
  const agent = await here.agent('data');
  for (let sequence = 1; sequence <= 300; sequence += 1)
    await here.say(broadcast, { ...stf('w-x-0001', sequence), namespace });
  await here.say(broadcast, { ...ended('w-x-0001'), namespace });
  await here.say(broadcast, { ...stf('w-x-0001', 301), namespace });
  const run = await here.run(2, ['data']);
  await run.done;
  expect(await here.monitor()).toMatchObject({ status: 'completed', slices_completed: 30 });
  const ready = await here.askAll('list_messages', { message_type: 'stf_ready' });
  expect(ready.map(({ sender_agent }) => sender_agent)).toEqual([agent.name, agent.name]);
});
