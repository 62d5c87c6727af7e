import * as z from 'zod';

import { isFileAddress } from './file-address.ts';

/**
 * The parameters that decide what an execution does, by section, with their defaults, shared by
 * configuration, messages, agents and projection. Times are seconds of simulated time. Unknown keys are
 * allowed here, since messages and older records may contain them; the configuration rejects them.
 * `docs/configuration.md` shows the descriptions.
 */
const seconds = (fallback: number, about: string) =>
  z.number().nonnegative().max(1e9).default(fallback).describe(about);
const count = (fallback: number, about: string, least = 0, most = 1_000_000_000) =>
  z.int().min(least).max(most).default(fallback).describe(about);

export const workflowSection = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*$/, 'must be letters, digits, "_" and single "-"')
    .max(64)
    .default('stf_datataking')
    .describe('first part of the execution id'),
  version: z.string().max(64).default('1.0').describe('for your own use'),
  description: z.string().max(1000).default('').describe('for your own use'),
  realtime: z.boolean().default(true).describe('`false`: full speed unless `--speed` says otherwise'),
});

export const fastProcessingSection = z.object({
  stf_count: count(10, 'STF files per physics period; 0: as many as fit in it'),
  physics_period_count: count(1, 'physics periods per run; 0: until stopped'),
  target_worker_count: count(30, 'worker slots', 1, 10_000),
  stf_sampling_rate: z.number().min(0).max(1).default(1).describe('fraction of STF files to sample, 0 to 1'),
  slices_per_sample: count(15, 'TF slices per sample', 1, 10_000),
  slice_processing_time: seconds(30, 'seconds per slice, for the placeholder payload'),
});

export const fastmonSection = z.object({
  tf_samples_per_stf: count(1, 'TF samples per sampled STF', 1, 999),
  tf_fraction: z
    .number()
    .gt(0)
    .max(1)
    .default(0.15)
    .describe("total fraction of an STF's frames that its samples cover"),
});

/** A frame's header takes 16 bytes (`frames.ts`); the rest is its content. */
const minFrameBytes = 32;

export const daqSection = z.object({
  no_beam_not_ready_delay: seconds(5, 'seconds before `run_imminent`'),
  beam_not_ready_delay: seconds(5, 'seconds between beam not ready and beam ready'),
  beam_ready_delay: seconds(2, 'seconds before `start_run`'),
  beam_not_ready_end_delay: seconds(5, 'seconds after `end_run`'),
  broadcast_delay: seconds(1, 'seconds after each announcement of a state'),
  stf_interval: seconds(2, 'seconds between two STFs'),
  stf_generation_time: seconds(0.1, 'seconds to make an STF'),
  standby_duration: seconds(2, 'seconds between two physics periods'),
  physics_period_duration: seconds(10, 'seconds of a physics period, if `stf_count` is 0'),
  tf_per_stf: count(1000, 'Time Frames in an STF', 1, 1_000_000),
  tf_size_bytes: count(64, 'bytes in a Time Frame', minFrameBytes, 16_777_216),
});

/** The sections that a message or a tool may set. */
export const openSections = {
  fast_processing: fastProcessingSection,
  fastmon: fastmonSection,
  daq_state_machine: daqSection,
} as const;

/** The open section with this key, if there is one. */
export const openSectionOf = (key: string) =>
  (Object.keys(openSections) as (keyof typeof openSections)[]).find((name) =>
    Object.hasOwn(openSections[name].shape, key),
  );

export const workerSection = z.object({
  payload: z
    .array(
      z
        .string()
        .min(1, 'must not be empty')
        .regex(/^[^\0]*$/, 'must not contain NUL')
        .max(10_000),
    )
    .min(1, 'must name a program')
    .max(1000)
    .optional()
    .describe(
      'program to run on every slice, as a list of words; default: a built-in placeholder that checks the frames and waits',
    ),
  payload_name: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('name by which workers on other hosts know the payload; default: the name of its program'),
  timeout_seconds: z
    .number()
    .positive()
    .max(1e9)
    .default(600)
    .describe('seconds of wall time that a payload command may take'),
  max_retries: count(3, 'attempts after the first', 0, 1000),
});

/** A prefix of file addresses, without a login. */
const fileAddress = z
  .string()
  .max(2000)
  .refine((text) => isFileAddress(text), {
    error: 'must be an address such as http://HOST:8090 or root://HOST//FOLDER',
  });

export const dataSection = z.object({
  dir: z
    .string()
    .min(1)
    .optional()
    .describe(
      'folder of the data files, relative to the configuration file (`--set`: to the working folder); default: the path of the store plus `.data`',
    ),
  write_files: z.boolean().default(true).describe('`false`: write no files and compute no checksums'),
  url: fileAddress
    .optional()
    .describe('where `dir` is published, such as `http://HOST:8090`; if unset, the folder is not published'),
  sources: z
    .array(fileAddress)
    .optional()
    .describe('addresses that files may be fetched from, `http(s)://` or `root(s)://`; default: only `url`'),
  fetch: z
    .array(z.string().min(1))
    .min(1)
    .refine((words) => words.some((word) => word.includes('{url}')) && words.some((word) => word.includes('{path}')), {
      error: 'must have {url} and {path} in its arguments',
    })
    .optional()
    .describe(
      'command that fetches `{url}` to `{path}`, such as `["xrdcp", "-f", "{url}", "{path}"]`; if unset, files are fetched over HTTP',
    ),
  keep_hours: z
    .number()
    .min(0)
    .max(100_000)
    .default(72)
    .describe("hours for which an agent without a store keeps an execution's files after the execution has ended"),
});

export const speedSchema = z.union([z.number().min(0.001).max(1e6), z.literal('max')]);

export type Speed = z.infer<typeof speedSchema>;

/** The parameters that `run_imminent` publishes: only these sections and the speed. */
export const workflowParamsSchema = z.object({
  workflow: workflowSection.prefault({}),
  fast_processing: fastProcessingSection.prefault({}),
  fastmon: fastmonSection.prefault({}),
  daq_state_machine: daqSection.prefault({}),
  speed: speedSchema.default(1),
});

export type WorkflowParams = z.infer<typeof workflowParamsSchema>;

/** The plan versions that this program supports, newest last. `plan/versions.ts` has a line for each. */
const planVersions = [1] as const;

type PlanVersion = (typeof planVersions)[number];

/** Logs that predate this field have version 1. */
export const planVersionSchema = z.literal(planVersions).default(1);

/** The plan version for new executions. */
export const currentPlanVersion = planVersions.at(-1) as PlanVersion;

/** All parameters of an execution. Only `db/execution/params.ts` parses them from the log, once. */
export const executionParamsSchema = workflowParamsSchema.extend({
  plan_version: planVersionSchema,
  worker: workerSection.prefault({}),
  data: dataSection.prefault({}),
});

export type ExecutionParams = z.infer<typeof executionParamsSchema>;

/** The public part of the parameters: no paths, no commands. */
export function workflowParamsOf(params: ExecutionParams): WorkflowParams {
  const { workflow, fast_processing, fastmon, daq_state_machine, speed } = params;
  return { workflow, fast_processing, fastmon, daq_state_machine, speed };
}

/**
 * The program that a worker runs on a slice. A new kind needs a member here and an entry in
 * `payload/kinds.ts`, which the compiler requires. `limit_seconds` is wall time; the placeholder has no
 * limit.
 */
export type PayloadSpec =
  | { kind: 'placeholder'; seconds: number; limit_seconds?: undefined }
  | { kind: 'command'; command: readonly string[]; limit_seconds: number };

/** The payload of an execution; the placeholder takes `seconds` of simulated time. */
export function payloadSpecOf({ worker, fast_processing }: ExecutionParams): PayloadSpec {
  if (worker.payload === undefined) return { kind: 'placeholder', seconds: fast_processing.slice_processing_time };
  return { kind: 'command', command: worker.payload, limit_seconds: worker.timeout_seconds };
}
