import type * as z from 'zod';

import type { telemetrySchemas, TelemetryType } from '../../src/messages/telemetry.ts';

type Schemas = typeof telemetrySchemas;
type Fields<T extends TelemetryType> = Exclude<keyof z.infer<Schemas[T]>, 'msg_type'> & string;

interface TelemetryWords<T extends TelemetryType> {
  about: string;
  from: string;
  to: string;
  fields: Record<Fields<T>, string>;
}

const common = {
  sender: 'name of the agent or program',
  namespace: 'others ignore the message',
  timestamp: 'when it was sent, ISO 8601 in UTC',
};

/** Each telemetry message in words, with its fields. The compiler asks for those of a new one. */
export const telemetryWords: { [T in TelemetryType]: TelemetryWords<T> } = {
  execution_state: {
    about: 'The state of an execution. Sent every 5 seconds, and at each change.',
    from: 'the recorder of the execution',
    to: 'agents without a store',
    fields: {
      ...common,
      execution_id: 'of the execution',
      store_id: 'of the recorder that sends it',
      epoch: 'number of the driver of the execution, from 1',
      run_id: 'run number as text',
      phase: 'of the run',
      status: 'of the execution',
      held: 'whether an operator has paused it',
      workflow_params: 'the parameters of the execution',
      plan_version: 'version of the rule by which frames are sampled and cut',
      max_retries: 'attempts after the first',
      resting:
        'workers that currently take none of its slices, because others complete what fails there: `agent`, `detail`',
      on_trial:
        'workers whose rest is over, which take one of its slices at a time until one succeeds: `agent`, `detail`',
      over: 'the `message_id` of slices that a worker began although their attempt has a result: it drops them and sends no result',
    },
  },
  agent_heartbeat: {
    about:
      'A heartbeat. Sent every 5 seconds, and at each change; an agent that is silent for 60 seconds counts as gone.',
    from: 'an agent without a store',
    to: 'recorders and other agents',
    fields: {
      ...common,
      agent_name: 'of the agent, the same after a restart',
      agent_type: 'its role',
      state: 'of the agent; `EXITED` is the last one it sends',
      in_hand: 'the `message_id` of each message that it is processing',
      free_slots: 'slots of a worker without a slice; 0 of others',
      slots: 'all slots of a worker',
      off_duty: 'kinds of work that it cannot do: `reason`, `name`, `since`, `detail`; mostly empty',
      hostname: 'of the process',
      pid: 'process id',
      boot_id: 'of the machine, so that a process id after a reboot is another one; may be empty',
      version: 'of the program',
      wire: 'version of this page: 2',
      since: 'when the process began, ISO 8601: distinguishes two processes with the same name',
      store_id: 'of a recorder: the id of its store',
    },
  },
  agent_log: {
    about: 'Lines for the log. Each line is kept once, however often it is sent.',
    from: 'an agent without a store',
    to: 'recorders',
    fields: {
      ...common,
      since: 'when the process began, as in its heartbeat',
      lines: 'lines of the log, numbered from 1 by `n`',
      dropped: 'lines that could not be kept until they could be sent',
    },
  },
};
