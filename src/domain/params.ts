import * as z from 'zod';

/**
 * The parameters that decide what an execution does, by section, with their defaults (contract §3).
 * They are the same for configuration, messages, agents and projection. Times are seconds of simulated time.
 * Unknown keys are let through here, since messages and older records may have them; the configuration refuses them.
 */
const seconds = (fallback: number) => z.number().nonnegative().max(1e9).default(fallback);
const count = (fallback: number, least = 0, most = 1_000_000_000) => z.int().min(least).max(most).default(fallback);

export const workflowSection = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*$/, 'must be letters, digits, "_" and single "-"')
    .max(64)
    .default('stf_datataking'),
  version: z.string().max(64).default('1.0'),
  description: z.string().max(1000).default(''),
  realtime: z.boolean().default(true),
});

export const fastProcessingSection = z.object({
  stf_count: count(10),
  physics_period_count: count(1),
  target_worker_count: count(30, 1, 10_000),
  stf_sampling_rate: z.number().min(0).max(1).default(1),
  slices_per_sample: count(15, 1, 10_000),
  slice_processing_time: seconds(30),
});

export const fastmonSection = z.object({
  tf_samples_per_stf: count(1, 1, 999),
  tf_fraction: z.number().gt(0).max(1).default(0.15),
});

/** A frame's header takes 16 bytes (`frames.ts`); the rest is its content. */
const leastFrameBytes = 32;

export const daqSection = z.object({
  no_beam_not_ready_delay: seconds(5),
  beam_not_ready_delay: seconds(5),
  beam_ready_delay: seconds(2),
  beam_not_ready_end_delay: seconds(5),
  broadcast_delay: seconds(1),
  stf_interval: seconds(2),
  stf_generation_time: seconds(0.1),
  standby_duration: seconds(2),
  physics_period_duration: seconds(10),
  tf_per_stf: count(1000, 1, 1_000_000),
  tf_size_bytes: count(64, leastFrameBytes, 16_777_216),
});

export const workerSection = z.object({
  payload: z
    .array(
      z
        .string()
        .min(1, 'must not be empty')
        .regex(/^[^\0]*$/, 'must have no NUL')
        .max(10_000),
    )
    .min(1, 'must name a program')
    .max(1000)
    .optional(),
  timeout_seconds: z.number().positive().max(1e9).default(600),
  max_retries: count(3, 0, 1000),
});

export const speedSchema = z.union([z.number().min(0.001).max(1e6), z.literal('max')]);

export type Speed = z.infer<typeof speedSchema>;

/** What `run_imminent` tells everybody (contract §2): these sections and the speed, and nothing else. */
export const workflowParamsSchema = z.object({
  workflow: workflowSection.prefault({}),
  fast_processing: fastProcessingSection.prefault({}),
  fastmon: fastmonSection.prefault({}),
  daq_state_machine: daqSection.prefault({}),
  speed: speedSchema.default(1),
});

export type WorkflowParams = z.infer<typeof workflowParamsSchema>;

/** What the workflow's own rules need to know of an execution: its workflow parameters and how often a slice is tried. */
export const executionParamsSchema = workflowParamsSchema.extend({
  worker: z.object({ max_retries: workerSection.shape.max_retries }).prefault({}),
});

export type ExecutionParams = z.infer<typeof executionParamsSchema>;
