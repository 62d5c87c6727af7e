import { isTable, type Table } from './toml.ts';

/** The testbed's own files load unchanged. Keys that have another place here are moved; keys without a meaning here are removed and reported. */
const bundledAgents: ReadonlySet<string> = new Set(['daq_simulator', 'data', 'fastmon', 'fast_processing', 'worker']);

/** Keys of the testbed's `[fast_processing]` that are known but have no effect here. */
const idleKeys = ['worker_rampup_time', 'worker_rampdown_time', 'num_tf_per_slice'];

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
  const { fast_processing, workflow, simulation, parameters } = table;
  for (const key of idleKeys) {
    if (!isTable(fast_processing) || !Object.hasOwn(fast_processing, key)) continue;
    warnings.push(`fast_processing.${key} is known and has no effect here`);
    delete fast_processing[key];
  }
  // The layers have read the file that it names.
  if (isTable(workflow)) delete workflow['config'];
  for (const [key, section] of Object.entries(simulationKeys)) moveKey(table, origins, key, ['simulation', section]);
  // The remaining keys are unknown and will be refused.
  if (isTable(simulation) && Object.keys(simulation).length === 0) delete table['simulation'];
  // The testbed has it in either section.
  moveKey(table, origins, 'physics_period_count', ['daq_state_machine', 'fast_processing']);
  if (isTable(parameters)) {
    if (Object.keys(parameters).length > 0) warnings.push('[parameters] is known and has no effect here; use --set');
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

/** Moves a key from one section to another, where a value that is already set wins. */
function moveKey(table: Table, origins: Origins, key: string, [from, to]: readonly [string, string]): void {
  const source = table[from];
  if (!isTable(source) || !Object.hasOwn(source, key)) return;
  const home = isTable(table[to]) ? table[to] : {};
  if (!Object.hasOwn(home, key)) {
    table[to] = { ...home, [key]: source[key] };
    const origin = origins.get(`${from}.${key}`);
    if (origin !== undefined) origins.set(`${to}.${key}`, origin);
  }
  delete source[key];
}
