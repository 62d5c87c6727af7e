import * as z from 'zod';

import type { Prepare } from '../db/sqlite/statements.ts';
import { listObjects, objectNamed } from '../db/stand-in/objects.ts';
import { registeredSlice } from '../observed/reading/dialects.ts';
import { objectOf } from '../observed/reading/values.ts';
import { textOf } from '../observed/told/log-line.ts';
import { addedFields, count, fileName, numberIn, type Resource, runNumber } from './resource.ts';

/**
 * Finds an STF file by name: in the newest open run in the agent's namespace, otherwise in the newest open
 * run, otherwise in the newest run.
 */
function stfNamed(sql: Prepare, stf: string, agent: string | undefined) {
  const all = listObjects(sql, 'stf-files', { parent: stf });
  const open = all.filter(({ run_id }) => !hasEnded(sql, run_id));
  const namespace = agent === undefined ? undefined : objectNamed(sql, 'systemagents', agent)?.document['namespace'];
  const theirs = open.findLast(({ run_id }) => executionOf(sql, run_id)?.['namespace'] === namespace);
  return (namespace === undefined ? undefined : theirs) ?? open.at(-1) ?? all.at(-1);
}

/**
 * A run has ended when its data taking or its execution has ended: stopping the execution does not end the data
 * taking.
 */
function hasEnded(sql: Prepare, run: string | undefined) {
  if (run === undefined) return false;
  if ((objectNamed(sql, 'runs', run)?.document['end_time'] ?? null) !== null) return true;
  const { status = 'running' } = executionOf(sql, run) ?? {};
  return status !== 'running';
}

function executionOf(sql: Prepare, run: string | undefined) {
  if (run === undefined) return undefined;
  const { execution_id: id } = objectOf(objectNamed(sql, 'run-states', run)?.document['metadata']);
  return typeof id === 'string' ? objectNamed(sql, 'workflow-executions', id)?.document : undefined;
}

/** STF files. Their names recur in other runs, so a file is identified by its name and its run. */
export const stfFiles: Resource = {
  path: 'stf-files',
  isPaged: true,
  idField: 'file_id',
  idKind: 'uuid',
  nameField: 'stf_filename',
  body: z.looseObject({ run: runNumber(), stf_filename: fileName(), metadata: addedFields() }),
  namesOf({ run, stf_filename }) {
    const [run_id, stf] = [String(run), String(stf_filename)];
    return { name: `${run_id}/${stf}`, run_id, parent: stf, told_name: stf };
  },
  more: (_, at) => ({
    checksum: null,
    workflow_id: null,
    daq_state: null,
    daq_substate: null,
    workflow_status: null,
    tf_count: null,
    created_at: at,
  }),
  again: 'refuse',
  wanted: ({ stf_filename, run_number }) =>
    stf_filename === undefined ? { run_id: run_number } : { parent: stf_filename },
  // A data agent does not register a file that the list already contains, so files with the same name from
  // earlier runs are left out.
  isListed: ({ run_id }, { stf_filename }, sql) => stf_filename === undefined || !hasEnded(sql, run_id),
  aliases: { run_number: 'run' },
};

/** TF files. They do not name a run; they belong to the run of their STF file. */
export const fastmonFiles: Resource = {
  path: 'fastmon-files',
  isPaged: true,
  idField: 'tf_file_id',
  idKind: 'uuid',
  nameField: 'tf_filename',
  body: z.looseObject({
    stf_file: fileName(),
    tf_filename: fileName(),
    tf_first: count(),
    tf_last: count(),
    metadata: addedFields(),
  }),
  namesOf({ stf_file, tf_filename, metadata }, { sql }) {
    const tf = String(tf_filename);
    const run_id = stfNamed(sql, String(stf_file), textOf(objectOf(metadata)['agent_name']))?.run_id;
    return { name: `${run_id ?? ''}/${tf}`, run_id, parent: tf, told_name: tf };
  },
  more: (_, at) => ({ checksum: null, created_at: at, updated_at: at }),
  again: 'refuse',
  wanted: ({ tf_filename, run_id }) => ({ run_id, parent: tf_filename }),
  aliases: { stf_filename: 'stf_file', run_id: '' },
};

/** TF slices, identified by their run and file. */
export const tfSlices: Resource = {
  path: 'tf-slices',
  idField: 'id',
  idKind: 'number',
  nameField: 'slice_id',
  body: z.looseObject({
    slice_id: count().max(2 ** 31 - 1),
    tf_filename: fileName(),
    run_number: runNumber(),
    tf_first: count().nullish(),
    tf_last: count().nullish(),
    tf_count: count().nullish(),
    metadata: addedFields(),
  }),
  namesOf(body) {
    const run_id = String(body['run_number']);
    const { slice_filename: told_name, tf_filename } = registeredSlice(body) ?? {};
    const parent = textOf(body['tf_file_id']) ?? tf_filename;
    return { name: `${run_id}/${told_name}`, run_id, number: Number(body['slice_id']), parent, told_name };
  },
  more: (body) => ({ fastmon_file: registeredSlice(body)?.tf_filename }),
  again: 'refuse',
  // A fast processing agent changes the first slice that it finds, so completed ones are left out.
  wanted: ({ run_number, slice_id, fastmon_file_id }) => ({
    run_id: run_number,
    number: numberIn(slice_id),
    parent: fastmon_file_id,
    not: slice_id === undefined || fastmon_file_id !== undefined ? undefined : 'completed',
  }),
  // The change applies to the slice that its result names: the public programs address the run's first slice
  // with that number, whatever its file.
  target({ metadata }, { run_id }, sql) {
    const result = objectOf(objectOf(objectOf(metadata)['result'])['result']);
    const named = registeredSlice(result)?.slice_filename;
    return named === undefined ? undefined : objectNamed(sql, 'tf-slices', `${run_id ?? ''}/${named}`);
  },
  aliases: { fastmon_file_id: '', fastmon_file__tf_filename: 'fastmon_file' },
};
