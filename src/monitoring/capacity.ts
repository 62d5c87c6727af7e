import { type Facts, serviceSeconds, wallSeconds } from './facts.ts';

/** Whether the workers keep up with the DAQ. Rates are per second of wall time. */
export interface Capacity {
  /** Slices that the DAQ brings about while it makes STFs. */
  arrival_rate: number;
  /** How long a worker has a slice. */
  service_seconds: number;
  workers: number;
  /** Workers that would keep up. */
  workers_needed: number;
  /** Slices that wait. */
  backlog: number;
  /** How long the workers take for those. */
  backlog_seconds: number;
}

/** Undefined at full speed, where the DAQ's intervals take no time, and while the time of a slice is not known. */
export function capacityOf(facts: Facts): Capacity | undefined {
  const { params, counts, stf_planned, slices_planned } = facts;
  const { fast_processing, fastmon, daq_state_machine: daq } = params;
  const interval = wallSeconds(daq.stf_interval + daq.stf_generation_time, params);
  const service = serviceSeconds(facts);
  if (interval === 0 || service === undefined) return undefined;
  const perStf =
    stf_planned !== undefined && stf_planned > 0 && slices_planned !== undefined
      ? slices_planned / stf_planned
      : fast_processing.stf_sampling_rate * fastmon.tf_samples_per_stf * fast_processing.slices_per_sample;
  const arrival = perStf / interval;
  const workers = fast_processing.target_worker_count;
  return {
    arrival_rate: hundredth(arrival),
    service_seconds: hundredth(service),
    workers,
    workers_needed: Math.ceil(arrival * service - 1e-9),
    backlog: counts.slices_queued,
    backlog_seconds: Math.ceil((counts.slices_queued * service) / workers),
  };
}

const hundredth = (value: number): number => Math.round(value * 100) / 100;
