import { sliceFilename } from '../../domain/file-names.ts';
import { type Fields, framesIn, idOf, nameOf, numberOf, objectOf, sliceIdOf, textOf } from './values.ts';

/** Where a dialect puts the fields of slices and results. */
export interface SlicesOfDialect {
  /** The TF file of a slice, derived from the name in the message. */
  tfFilename: (told: string, sliceId: number) => string;
  /** The slice that a result echoes, or an empty object. */
  echo: (result: Fields) => Fields;
  /** The figures that the payload measured. */
  metrics: (result: Fields) => Fields;
  /** A field that registrations of slices over REST have only in this dialect. */
  registeredBy: string;
  /** Fields of a registration that a row of the monitor's slice table lacks. */
  lackedBy?: (row: Fields) => Fields;
}

/** How to read slices and results in a dialect that uses the format of the testbed's programs. */
export const workReadings = (dialect: SlicesOfDialect) => ({
  slice: (body: Fields) => sliceOf(body, dialect),
  slice_result: (body: Fields, headers: Readonly<Record<string, string>>) => resultOf(body, headers, dialect),
});

/** The payload's outcome in a result. The outcome includes the echo of the slice. */
export const outcomeIn = (content: Fields) => objectOf(objectOf(content['result'])['result']);

export function sliceOf(body: Fields, dialect: SlicesOfDialect) {
  const content = objectOf(body['content']);
  const named = namedSlice(content, dialect);
  return (
    named && {
      kind: 'slice' as const,
      ...named,
      stf_filename: nameOf(content['filename']),
      ...framesIn(content, 'start', 'end'),
      req_id: idOf(content['req_id']),
      tf_slice_id: idOf(content['tf_slice_id']),
      /** As written by the sender, with or without a zone. */
      requested_at: idOf(body['created_at']),
      /** Whether the message itself names its execution. */
      namesExecution: idOf(content['execution_id']) !== undefined || idOf(body['execution_id']) !== undefined,
    }
  );
}

/**
 * The names of a slice in a message; undefined if the message lacks the TF file or the number. The slice's
 * own name is built from these two, so it is the same in all dialects.
 */
export function namedSlice(content: Fields, dialect: Pick<SlicesOfDialect, 'tfFilename'>) {
  const told = nameOf(content['tf_filename']);
  const slice_id = sliceIdOf(content['slice_id']);
  if (told === undefined || slice_id === undefined) return undefined;
  const tf_filename = dialect.tfFilename(told, slice_id);
  return { tf_filename, slice_id, slice_filename: sliceFilename(tf_filename, slice_id) };
}

/** The result of an attempt. Times are as written by the sender. */
export function resultOf(body: Fields, headers: Readonly<Record<string, string>>, dialect: SlicesOfDialect) {
  const content = objectOf(body['content']);
  const outer = objectOf(content['result']);
  const result = objectOf(outer['result']);
  const echo = dialect.echo(result);
  const slice_filename = namedSlice(echo, dialect)?.slice_filename;
  const key = keyOf(echo, slice_filename, idOf(content['requested_at']));
  const state = content['state'];
  if (key === undefined || (state !== 'done' && state !== 'failed')) return undefined;
  return {
    kind: 'result' as const,
    key,
    /** The slice that the result names. */
    slice_filename,
    state,
    worker: idOf(headers['client-id']),
    hostname: idOf(content['hostname']),
    panda_task_id: idOf(content['panda_task_id']),
    panda_id: idOf(content['panda_id']),
    started_at: idOf(content['processing_start_at']),
    processed_at: idOf(content['processed_at']),
    /** Wall time of the payload, as measured by the worker. */
    processing_seconds: numberOf(dialect.metrics(result)['actual_processing_time']),
    error: textOf(outer['error']) ?? textOf(result['error']),
  };
}

/** The key by which a result identifies its slice: the first of the following keys that the result has. */
function keyOf(echo: Fields, slice_filename: string | undefined, requested_at: string | undefined) {
  const keys = [
    { by: 'request', value: idOf(echo['req_id']) },
    { by: 'id', value: idOf(echo['tf_slice_id']) },
    { by: 'name', value: slice_filename },
    { by: 'time', value: requested_at },
  ] as const;
  for (const { by, value } of keys) if (value !== undefined) return { by, value };
  return undefined;
}
