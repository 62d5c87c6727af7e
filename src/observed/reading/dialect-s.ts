import type { Dialect, ResultFact, SliceFact } from './fact.ts';
import { countOf, framesIn, idOf, nameOf, numberOf, textOf } from './values.ts';
import { namedSlice } from './work.ts';

/** The messages of swf-mcp from another store: all fields are flat, and attempts are numbered. */
export const dialectS: Dialect = {
  words: (body) => typeof body['message_id'] === 'string',
  readings: {
    slice: (body): SliceFact | undefined => {
      const named = namedSlice(body, { tfFilename: (told) => told });
      return (
        named && {
          kind: 'slice',
          ...named,
          stf_filename: nameOf(body['stf_filename']),
          ...framesIn(body, 'start', 'end'),
          req_id: `${named.slice_filename}/${countOf(body['attempt']) ?? 1}`,
          tf_slice_id: undefined,
          requested_at: undefined,
          namesExecution: idOf(body['execution_id']) !== undefined,
        }
      );
    },
    slice_result: (body): ResultFact | undefined => {
      const slice = nameOf(body['slice_filename']);
      const { state } = body;
      if (slice === undefined || (state !== 'done' && state !== 'failed')) return undefined;
      return {
        kind: 'result',
        key: { by: 'request', value: `${slice}/${countOf(body['attempt']) ?? 1}` },
        slice_filename: undefined,
        state,
        worker: idOf(body['worker_id']),
        hostname: idOf(body['hostname']),
        panda_task_id: undefined,
        panda_id: undefined,
        started_at: undefined,
        processed_at: idOf(body['timestamp']),
        processing_seconds: numberOf(body['processing_seconds']),
        error: textOf(body['error']),
      };
    },
  },
};
