import { Option } from 'commander';

import { layoutNames } from '../messages/destinations.ts';
import type { CheckArguments } from './observe/check.ts';
import type { ContractArguments } from './observe/contract.ts';
import type { ObserveArguments } from './observe/observe.ts';
import type { ReadArguments } from './observe/recordings.ts';
import { type Io, pathFrom } from './shared/io.ts';
import { type Add, another, jsonOption, parsePositive, setOption } from './shared/options.ts';

/** The flags of a listener, and the flags that select a different command. */
type Flags = ObserveArguments &
  CheckArguments &
  Pick<ReadArguments, 'until'> &
  Pick<ContractArguments, 'against'> & {
    check: boolean;
    contract?: string | true;
    anonymize?: string;
    from?: string[];
  };

const words = (text: string, before: string[] = []) =>
  [...before, ...text.split(',').map((word) => word.trim())].filter((word) => word !== '');

/** The command that listens to a testbed of other programs. */
export function addObserve(add: Add) {
  add(
    'observe',
    'until SIGTERM, record a testbed that others run; send nothing without --allow-control',
    [
      [
        '--broker <URL>',
        'subscribe to this STOMP broker: stomp://HOST:PORT, stomp+ssl://HOST:PORT, or "env" to read ACTIVEMQ_HOST and related variables',
      ],
      ['--config <FILE>', 'read the broker and known findings from this configuration'],
      setOption(),
      new Option('--layout <NAME>', 'subscribe to the topics used by this testbed version').choices(layoutNames),
      [
        '--topics <T,…>',
        "subscribe to these topics instead of a layout's; give the full names of existing topics, since the broker creates any that are missing",
        words,
      ],
      ['--namespace <NAME>', 'record only this namespace; may be repeated (default: all)', another],
      [
        '--record <FILE>',
        'record to FILE (.gz to compress) or FOLDER/ (one file per day) instead of the store; with --db or $SWF_DB, to both',
      ],
      ['--metrics <[HOST:]PORT>', "serve the observer's metrics at /metrics, for Prometheus (default host: 127.0.0.1)"],
      [
        '--monitor-url <URL>',
        'also read from swf-monitor what the messages lack: parameters, stops, files, missed results; at most one request per second (set $SWF_MONITOR_TOKEN if it needs a token)',
      ],
      [
        '--api <[HOST:]PORT>',
        'stand in for swf-monitor: answer the REST calls of testbed programs (default host: 127.0.0.1; others need $SWF_MONITOR_TOKEN)',
      ],
      [
        '--allow-control',
        "forward start_workflow and control_workflow requests to the testbed's queue /queue/workflow_control; no other message is sent",
      ],
      new Option('--until-parent-ends').hideHelp(),
      ['--check', 'record nothing: listen for --wait seconds, then report which programs were heard'],
      ['--wait <S>', 'with --check: seconds to listen', parsePositive, 35],
      [
        '--contract [EXECUTION_ID]',
        'report the message types, senders, keys, order and delays of a recorded run (default: latest)',
      ],
      ['--against <EXECUTION_ID>', 'with --contract: compare with an earlier run'],
      ['--from <FILE...>', 'read recordings instead of a broker'],
      ['--until <TIME>', 'with --from: when the observer stopped listening (default: the end of each recording)'],
      ['--anonymize <FILE>', 'with --from: write a copy of the recording without names of people, hosts and folders'],
      jsonOption(),
    ],
    async () => observeAs,
    {
      needs: { '--until': ['--from'], '--anonymize': ['--from'], '--against': ['--contract'] },
      // Recordings are read without a broker.
      excludes: { '--from': ['--broker', '--layout', '--record', '--metrics', '--api', '--monitor-url'] },
    },
  );
}

type Given = Omit<Flags, 'topics' | 'namespaces'> & { topics?: string[]; namespace?: string[] };

/** Runs the command that the flags select. */
async function observeAs(io: Io, { topics = [], namespace: namespaces = [], ...given }: Given) {
  const flags = { ...given, topics, namespaces };
  const { contract, against, anonymize, json } = flags;
  const from = flags.from?.map((path) => pathFrom(io, path));
  if (flags.check) return (await import('./observe/check.ts')).checkCommand(io, flags);
  if (contract !== undefined) {
    const executionId = contract === true ? 'latest' : contract;
    return (await import('./observe/contract.ts')).contractCommand(io, { executionId, against, json });
  }
  if (from !== undefined) {
    const { anonymizeCommand, readCommand } = await import('./observe/recordings.ts');
    if (anonymize !== undefined) return anonymizeCommand(io, from, pathFrom(io, anonymize), json);
    return readCommand(io, { ...flags, from });
  }
  return (await import('./observe/observe.ts')).observeCommand(io, flags);
}
