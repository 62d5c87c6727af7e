import { isTable, type Table } from './toml.ts';

/** The testbed's own files load unchanged. Keys that have another place here are moved; keys without a meaning here are removed and reported. */
const bundledAgents: ReadonlySet<string> = new Set(['daq_simulator', 'data', 'fastmon', 'fast_processing', 'worker']);

/** Testbed keys that are known but have no effect here. */
const idleKeys = {
  fast_processing: ['worker_rampup_time', 'worker_rampdown_time', 'num_tf_per_slice'],
  workflow: ['config'],
} as const;

/** The sections that the keys of `[simulation]` have here. */
const simulationKeys = {
  stf_count: 'fast_processing',
  physics_period_count: 'fast_processing',
  physics_period_duration: 'daq_state_machine',
  stf_interval: 'daq_state_machine',
  realtime: 'workflow',
} as const;

/** Where each key came from, by its dotted name. */
export type Origins = Map<string, string>;

/** Changes the table, and the names in `origins` with it. Returns warnings for the user. */
export function adoptTestbed(table: Table, origins: Origins): string[] {
  const warnings = adoptAgents(table);
  for (const [section, keys] of Object.entries(idleKeys)) {
    const values = table[section];
    if (!isTable(values)) continue;
    for (const key of keys) {
      if (Object.hasOwn(values, key) && section !== 'workflow')
        warnings.push(`${section}.${key} is known and has no effect here`);
      delete values[key];
    }
  }
  adoptSimulation(table, origins);
  adoptPeriodCount(table, origins);
  if (isTable(table['parameters'])) {
    if (Object.keys(table['parameters']).length > 0)
      warnings.push('[parameters] is known and has no effect here; use --set');
    delete table['parameters'];
  }
  return warnings;
}

function adoptAgents(table: Table): string[] {
  const { agents } = table;
  if (!isTable(agents)) return [];
  const warnings: string[] = [];
  for (const [name, settings] of Object.entries(agents)) {
    if (!isTable(settings)) continue;
    // The testbed's script is one of its own programs.
    delete settings['script'];
    if (bundledAgents.has(name)) continue;
    warnings.push(`agents.${name} is not bundled with swf-mcp and is not started`);
    delete agents[name];
  }
  return warnings;
}

/** `[simulation]` supplies keys that are not set in their own section. */
function adoptSimulation(table: Table, origins: Origins): void {
  const { simulation } = table;
  if (!isTable(simulation)) return;
  for (const [key, section] of Object.entries(simulationKeys)) {
    if (!Object.hasOwn(simulation, key)) continue;
    const home = isTable(table[section]) ? table[section] : {};
    if (!Object.hasOwn(home, key)) {
      table[section] = { ...home, [key]: simulation[key] };
      moveOrigin(origins, `simulation.${key}`, `${section}.${key}`);
    }
    delete simulation[key];
  }
  // The remaining keys are unknown and will be refused.
  if (Object.keys(simulation).length === 0) delete table['simulation'];
}

/** `physics_period_count` may also be under `[daq_state_machine]`, as in the testbed; `[fast_processing]` wins. */
function adoptPeriodCount(table: Table, origins: Origins): void {
  const { daq_state_machine: daq } = table;
  if (!isTable(daq) || !Object.hasOwn(daq, 'physics_period_count')) return;
  const { physics_period_count, ...rest } = daq;
  const own = isTable(table['fast_processing']) ? table['fast_processing'] : {};
  table['daq_state_machine'] = rest;
  if (Object.hasOwn(own, 'physics_period_count')) return;
  table['fast_processing'] = { ...own, physics_period_count };
  moveOrigin(origins, 'daq_state_machine.physics_period_count', 'fast_processing.physics_period_count');
}

function moveOrigin(origins: Origins, from: string, to: string): void {
  const origin = origins.get(from);
  if (origin !== undefined) origins.set(to, origin);
}
