import * as z from 'zod';

import type { Queries } from '../db/queries.ts';
import type { RecordedFile } from '../db/reports/recorded-files.ts';
import { int, object, optionalInt, optionalString, string } from '../domain/fields.ts';
import { fileKinds } from '../domain/file-names.ts';
import { SwfError } from '../lib/errors.ts';
import { present } from '../lib/present.ts';
import { nowhereNote } from './shared/nowhere.ts';
import { cursorIn, writeCursor } from './shared/page.ts';
import type { FilePlace, FileState } from './shared/services.ts';
import { defineLiveTool, type LiveContext, requiredExecution, text } from './shared/tool.ts';

const maxFiles = 2000;
const maxMilliseconds = 2000;

/** Maximum number of files to list per kind; `count` is the number found in this call. */
const shown = 20;

/** How many files to look up at a time: more than the outputs that one message can list for a slice. */
const batch = 150;

/** Where a call continues: among the files of one kind, after the one with this key. */
const place = object({ of: string, kind: z.enum(fileKinds), after: z.int().nonnegative() });

type Place = Pick<z.infer<typeof place>, 'kind' | 'after'>;

const wrongFile = () =>
  object({
    name: string,
    problem: optionalString,
    expected_bytes: optionalInt,
    found_bytes: optionalInt,
    expected_checksum: optionalString,
    found_checksum: optionalString,
  });

type Wrong = z.input<ReturnType<typeof wrongFile>>;

export const verifyFilesTool = defineLiveTool({
  name: 'verify_files',
  title: 'Verify data files',
  description:
    'Are the files on disk unchanged? Reads STF files, TF samples and payload outputs, and compares size, checksum and frames with the record. ' +
    'Lists files that are missing, changed or unreachable from here. At most 2 s or 2,000 files per call: follow next_cursor to the end.',
  takesLong: () => true,
  input: () => ({
    execution_id: requiredExecution,
    stf_filename: text('Only this STF file, and what was made from it'),
    cursor: text('next_cursor of the previous call'),
  }),
  output: () =>
    object({
      execution_id: string,
      checked: int.describe('Files in this call'),
      missing: z.array(wrongFile()),
      changed: z.array(wrongFile()),
      unreachable: z.array(wrongFile()),
      missing_count: int,
      changed_count: int,
      unreachable_count: int,
      next_cursor: optionalString,
      note: optionalString,
    }),
  async perform({ execution_id: asked, stf_filename, cursor }, context) {
    const { queries } = context;
    const execution = queries().execution(asked);
    const { execution_id } = execution;
    const { data, daq_state_machine } = queries().executionParams(execution);
    const question = JSON.stringify([execution_id, stf_filename]);
    const found = noFiles();
    const nowhere = nowhereNote({ stf_filename }, execution, { queries: queries() });
    let at: Place | undefined = readPlace(cursor, question);
    if (data.dir !== undefined) {
      const where = { execution_id, dir: data.dir, url: data.url, frameBytes: daq_state_machine.tf_size_bytes };
      at = await compareFrom(at, context, found, stf_filename, where);
    }
    return present({
      execution_id,
      checked: found.checked,
      missing: found.missing.slice(0, shown),
      changed: found.changed.slice(0, shown),
      unreachable: found.unreachable.slice(0, shown),
      missing_count: found.missing.length,
      changed_count: found.changed.length,
      unreachable_count: found.unreachable.length,
      next_cursor: at === undefined || data.dir === undefined ? null : writeCursor({ of: question, ...at }),
      note:
        data.write_files && data.dir !== undefined
          ? (nowhere ?? ofAnother(queries(), stf_filename, execution_id) ?? unreachableNote(found) ?? null)
          : 'this execution wrote no files',
    });
  },
});

/** A note if the STF file belongs to another execution: nothing was checked. */
function ofAnother(queries: Queries, stf_filename: string | undefined, execution_id: string) {
  const owner = stf_filename && queries.product(stf_filename).execution_id;
  if (owner === undefined || owner === execution_id) return undefined;
  return `${stf_filename} belongs to ${owner}, not to ${execution_id}: nothing was checked`;
}

type Found = ReturnType<typeof noFiles>;

/** A note if files could not be read: it is unknown whether they have changed. */
const unreachableNote = ({ unreachable, checked }: Found) =>
  unreachable.length === 0
    ? undefined
    : `${unreachable.length} of ${checked} files cannot be read from here, so this call does not show whether they are unchanged`;

const noFiles = () => ({ checked: 0, missing: [] as Wrong[], changed: [] as Wrong[], unreachable: [] as Wrong[] });

/** Compares files for as long as a call may take. @returns where the remaining files begin */
async function compareFrom(
  from: Place,
  { queries, services, signal }: LiveContext,
  found: Found,
  stf_filename: string | undefined,
  where: FilePlace,
): Promise<Place | undefined> {
  const machine = await services();
  const { execution_id } = where;
  const began = performance.now();
  const isEnough = () => found.checked >= maxFiles || performance.now() - began >= maxMilliseconds || signal.aborted;
  let at: Place | undefined = from;
  while (at !== undefined && !isEnough()) {
    const recorded = queries().recordedFiles({ execution_id, stf_filename }, { ...at, limit: batch });
    const { files, next } = partOf(recorded, at);
    for (const file of files) {
      const compared = await machine.compareFile(file, where);
      found.checked += 1;
      if (compared.state !== 'fine') found[compared.state].push(wrongOf(file, compared));
    }
    at = next;
  }
  return at;
}

const wrongOf = (file: RecordedFile, found: FileState) =>
  present({
    name: file.kind === 'output' ? `${file.slice_filename}: ${file.name}` : file.name,
    problem: found.problem,
    expected_bytes: file.size_bytes,
    found_bytes: found.found_bytes,
    expected_checksum: file.kind === 'tf' ? null : file.checksum,
    found_checksum: found.found_checksum,
  }) as Wrong;

/**
 * The files of one part, and where the next part begins. All outputs of a slice have the same key, so the last
 * slice is left for the next part if it may be incomplete in this one.
 */
function partOf(files: readonly RecordedFile[], { kind }: Place) {
  const last = files.at(-1);
  if (last === undefined || files.length < batch) {
    const next = fileKinds[fileKinds.indexOf(kind) + 1];
    return { files, next: next && { kind: next, after: 0 } };
  }
  const whole = kind === 'output' ? files.filter(({ key }) => key !== last.key) : files;
  return { files: whole, next: { kind, after: whole.at(-1)?.key ?? last.key } };
}

function readPlace(cursor: string | undefined, of: string): Place {
  if (cursor === undefined) return { kind: 'stf', after: 0 };
  const data = cursorIn(place, cursor);
  if (data?.of === of) return { kind: data.kind, after: data.after };
  throw new SwfError(
    'CURSOR_INVALID',
    `cursor ${JSON.stringify(cursor.slice(0, 60))} does not belong to this execution and STF file; give the next_cursor of the previous call unchanged, or leave it out`,
  );
}
