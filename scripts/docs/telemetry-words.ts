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
  namespace: 'agents in other namespaces ignore the message',
  timestamp: 'when the message was sent, ISO 8601 in UTC',
};

/** A description of each telemetry message and its fields. A new one does not compile without a description. */
export const telemetryWords: { [T in TelemetryType]: TelemetryWords<T> } = {
  execution_state: {
    about: 'The state of an execution. Sent every 5 seconds, and at each change.',
    from: 'the recorder of the execution',
    to: 'agents without a store',
    fields: {
      ...common,
      execution_id: 'id of the execution',
      store_id: 'store of the recorder that sends the message',
      epoch: 'number of the driver of the execution, from 1',
      run_id: 'run number, as text',
      phase: 'phase of the run',
      status: 'status of the execution',
      held: 'whether an operator has paused the execution',
      workflow_params: 'the parameters of the execution',
      plan_version: 'version of the rule by which frames are sampled and cut',
      max_retries: 'maximum number of attempts after the first',
      resting:
        'workers that currently take no slices of the execution, because other workers complete the slices that fail on them: `agent`, `detail`',
      on_trial: 'workers whose rest is over, which take one slice at a time until one succeeds: `agent`, `detail`',
      over: '`message_id` of each attempt that is over although its worker may not know (it has a result, or a later attempt was sent): the worker drops it and sends no result',
    },
  },
  agent_heartbeat: {
    about:
      'A heartbeat. Sent every 5 seconds, and at each change; an agent that has been silent for 60 seconds counts as gone.',
    from: 'an agent without a store, or a recorder service',
    to: 'recorders and other agents',
    fields: {
      ...common,
      agent_name: 'name of the agent, the same after a restart',
      agent_type: 'role of the agent',
      state: 'state of the agent; the last heartbeat of an agent has `EXITED`',
      in_hand: '`message_id` of each message that the agent is processing (at most 1000)',
      free_slots:
        'slots of a worker that would take a slice now; 1 for a data or fastmon agent that is not ending; 0 for a recorder',
      slots: 'all slots of a worker',
      off_duty: 'kinds of work that the agent cannot do: `reason`, `name`, `since`, `detail`; usually empty',
      hostname: 'host of the process',
      pid: 'process id',
      boot_id: 'boot id of the machine, which distinguishes equal process ids before and after a reboot; may be empty',
      version: 'version of the program',
      wire: 'version of the message format: 2',
      since: 'when the process began, ISO 8601; distinguishes processes with the same name',
      store_id: 'in heartbeats of a recorder: the id of its store',
    },
  },
  agent_log: {
    about: 'Log lines. Each line is kept once, however often it is sent.',
    from: 'an agent without a store',
    to: 'recorders',
    fields: {
      ...common,
      since: 'when the process began, as in its heartbeat',
      lines: 'log lines; `n` numbers them from 1',
      dropped: 'number of lines dropped before they could be sent',
    },
  },
};
