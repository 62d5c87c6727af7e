type Fields = Readonly<Record<string, unknown>>;

/** The wording of programs of one make and time: H the public ones of summer 2026, F the newer fork, S swf-mcp. */
export type Dialect = 'H' | 'F' | 'S';

/** The only dialect that a message can be in; undefined if several word it alike. */
export function dialectOf(body: Fields): Dialect | undefined {
  if (typeof body['message_id'] === 'string') return 'S';
  const content = objectOf(body['content']);
  switch (body['msg_type']) {
    case 'stf_ready':
      return 'file_type' in body ? 'F' : 'H';
    case 'transformer_ready':
      return 'F';
    case 'run_imminent_worker':
      return 'memory_per_core' in content || 'streaming_mode' in content ? 'F' : 'H';
    case 'slice':
      return 'tf_slice_id' in content || 'tf_file_id' in content ? 'F' : 'H';
    case 'slice_result':
      return dialectOfResult(objectOf(objectOf(content['result'])['result']));
    default:
      return undefined;
  }
}

/** A failure in H, and an exception in either dialect, name no slice. */
const dialectOfResult = (echo: Fields): Dialect | undefined =>
  'origin_message' in echo ? 'F' : 'slice_id' in echo ? 'H' : undefined;

const objectOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
