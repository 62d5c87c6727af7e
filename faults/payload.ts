/**
 * A payload that fails or kills itself in some attempts at some slices. The seed determines which: the same
 * ones in every run, however often the run is interrupted.
 */
export function faultyPayload(seed: number): string[] {
  const script =
    `n=$(printf %s "$SWF_SLICE_FILENAME/$SWF_ATTEMPT/${seed}" | cksum | cut -d " " -f 1); ` +
    'case $((n % 7)) in 0) exit 3 ;; 1) kill -KILL $$ ;; esac';
  return ['--set', `worker.payload=${JSON.stringify(['sh', '-c', script])}`, '--set', 'worker.max_retries=2'];
}
