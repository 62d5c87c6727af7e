/** The totals of a period; a count is absent if it is unknown or zero. */
type Period = Readonly<Record<string, number | undefined>>;

/**
 * Describes what was produced and what failed in a period, as far as it was counted.
 * @param amount returns a number with its noun
 */
export function periodWords(totals: Period, amount: (n: number, one: string) => string) {
  const {
    stf_files = 0,
    slices_completed: done,
    attempts_failed = 0,
    slices_stay_failed = 0,
    slices_not_done = 0,
  } = totals;
  const { executions_uncounted: unseen = 0, stf_failed = 0 } = totals;
  const slices =
    done === undefined
      ? '.'
      : `, ${amount(done, 'slice')} completed, and ${amount(attempts_failed, 'attempt')} failed. At its end, ${amount(slices_stay_failed, 'slice')} had failed permanently and ${slices_not_done} were unfinished.`;
  return [
    `In this period ${amount(stf_files, 'STF file')} ${stf_files === 1 ? 'was' : 'were'} made${slices}`,
    ...(unseen === 0 ? [] : [`The slices of ${amount(unseen, 'execution')} are not seen, so they are not counted.`]),
    ...(stf_failed === 0 ? [] : [`${amount(stf_failed, 'STF file')} failed in PanDA.`]),
  ].join(' ');
}
