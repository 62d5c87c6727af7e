import * as z from 'zod';

import { dialectNames } from '../broker/connection.ts';
import {
  daqSection,
  dataSection,
  fastmonSection,
  fastProcessingSection,
  workerSection,
  workflowSection,
} from '../domain/params.ts';
import { destinations, layoutNames } from '../messages/destinations.ts';

/**
 * The configuration of a run. This schema holds the only defaults and the only descriptions:
 * `docs/configuration.md` is generated from it.
 */
const enabled = (about: string) => z.boolean().default(true).describe(about);
const count = z.int().min(0).max(1000).default(1).describe('processes of this agent that `up` runs on this host');
const agentSection = z.strictObject({ enabled: enabled('whether `run` and `up` start this agent'), count });

const topic = (fallback: string, about: string) => z.string().startsWith('/topic/').default(fallback).describe(about);
const queue = (fallback: string, about: string) => z.string().startsWith('/queue/').default(fallback).describe(about);

const text = z.string().min(1).optional();
const layout = z.enum(layoutNames).optional();
const listenSeconds = z.number().min(0).max(600).optional();

const brokerSection = z.strictObject({
  url: text.describe(
    '`stomp://host:port` or `stomp+ssl://host:port`, comma-separated for failover; without a broker, everything runs in one process',
  ),
  user: z.string().optional().describe('login name at the broker'),
  password: z.string().optional().describe('password for `user`'),
  ca_file: text.describe('certificates to trust with TLS; default: the system certificates'),
  dialect: z
    .enum(['auto', ...dialectNames])
    .default('auto')
    .describe('kind of broker: `auto` (as the broker identifies itself), `activemq`, `artemis` or `rabbitmq`'),
  vhost: z.string().min(1).max(255).optional().describe("RabbitMQ's virtual host; default: `/`"),
  layout: layout.describe(
    'topics of the existing testbed on this broker, to detect its programs: `head`, `2025-12` or `2025-10`',
  ),
  listen_seconds: listenSeconds.describe(
    'seconds to listen at the start for other software in the namespace, 0 for none; default 3, or 35 if `layout` is given and the namespace is new to the store',
  ),
  heartbeat_seconds: z
    .number()
    .min(0.5)
    .max(3600)
    .default(30)
    .describe('seconds between heartbeats, in both directions'),
  destinations: z
    .strictObject({
      broadcast: topic(destinations.broadcast, 'messages to all agents'),
      slices: queue(destinations.slices, 'slices for the workers'),
      results: queue(destinations.results, 'reports of the workers'),
      control: queue(destinations.control, 'requests to the DAQ simulator'),
      telemetry: topic(destinations.telemetry, 'states of executions, heartbeats and log lines of remote agents'),
    })
    .prefault({}),
});

export type BrokerSection = z.infer<typeof brokerSection>;

const first = z.int().min(1).max(99_999_999).optional();
const firstNumber = (of: string) =>
  first.describe(`first ${of} number of a store that is used with a broker; default: random`);

const testbedSection = z.strictObject({
  first_execution_number: firstNumber('execution'),
  first_run_number: firstNumber('run'),
  namespace: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be 1 to 100 letters, digits, ".", "_" or "-"')
    .describe('isolation boundary: messages from other namespaces are ignored; required over a broker'),
});

const secondsByCode = z.record(z.string(), z.number().min(0).max(86_400)).optional();
const watchSection = z.strictObject({
  after: secondsByCode.describe(
    'seconds that a finding must persist before `watch` raises an alarm, keyed by finding code (`SLICES_FAILED = 60`); default 30 for warnings, 10 for errors',
  ),
});

const observeSection = z.strictObject({
  known: z
    .array(z.string().min(1).max(200))
    .optional()
    .describe(
      'known findings of observed runs, as `CODE` or `CODE SENDER`, where `*` stands for any part of a name: shown as one line, without alarms; errors are never suppressed',
    ),
});

export const configSchema = z.strictObject({
  testbed: testbedSection,
  workflow: z
    .strictObject({
      ...workflowSection.shape,
      includes: z.array(z.string()).default([]).describe('files to read first'),
    })
    .prefault({}),
  agents: z
    .strictObject({
      daq_simulator: z
        .strictObject({ enabled: enabled('whether `up` starts the DAQ simulator, which is also the recorder') })
        .prefault({}),
      data: agentSection.prefault({}),
      fastmon: agentSection.prefault({}),
      fast_processing: z
        .strictObject({ enabled: enabled('must be `true`: this agent runs in the process of the run or the recorder') })
        .prefault({}),
      worker: agentSection.prefault({}),
    })
    .prefault({}),
  fast_processing: fastProcessingSection.strict().prefault({}),
  fastmon: fastmonSection.strict().prefault({}),
  daq_state_machine: daqSection.strict().prefault({}),
  worker: workerSection.strict().prefault({}),
  broker: brokerSection.prefault({}),
  data: dataSection.strict().prefault({}),
  observe: observeSection.optional(),
  watch: watchSection.optional(),
});

export type Config = z.infer<typeof configSchema>;

/** The keys in a schema, in dotted form, each with its own schema. */
function keysOf(schema: z.ZodType, prefix = ''): { key: string; schema: z.ZodType }[] {
  const inner =
    schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema;
  if (!(inner instanceof z.ZodObject)) return [{ key: prefix.slice(0, -1), schema }];
  return Object.entries(inner.shape).flatMap(([key, value]) => keysOf(value as z.ZodType, `${prefix}${key}.`));
}

const keys = keysOf(configSchema);

/** Every key that a configuration may have, in dotted form. */
export const knownKeys: readonly string[] = keys.map(({ key }) => key);

export const sectionNames: readonly string[] = Object.keys(configSchema.shape);

/** Every table of keys, in dotted form: the sections, and the tables in them. */
export const tableNames: readonly string[] = [
  ...new Set(knownKeys.flatMap((key) => [...key.matchAll(/\./g)].map(({ index }) => key.slice(0, index)))),
];

/** Every key with its description and its default as TOML; the default is undefined if the key has none. */
export const describedKeys = () =>
  keys.map(({ key, schema }) => ({
    key,
    about: schema.description ?? '',
    fallback: schema instanceof z.ZodDefault ? JSON.stringify(schema.def.defaultValue) : undefined,
  }));
