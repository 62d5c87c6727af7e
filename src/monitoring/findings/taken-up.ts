import { defineFinding } from './rule.ts';

/** Another process went on with it after the one before had gone. */
export const takenUp = defineFinding('TAKEN_UP', ({ evidence: { execution_id, drivers, begun_again } }) => {
  const gaps = drivers.flatMap(({ since, by }, index) => {
    const before = drivers[index - 1];
    return before?.until === undefined
      ? []
      : [{ by, since, seconds: (Date.parse(since) - Date.parse(before.until)) / 1000 }];
  });
  const last = gaps.at(-1);
  if (last === undefined) return undefined;
  const down = Math.round(gaps.reduce((sum, { seconds }) => sum + Math.max(0, seconds), 0));
  const again = begun_again === 0 ? '' : ` ${begun_again} starts of slices were made again.`;
  return {
    severity: 'info',
    sentence: `It was taken up ${gaps.length === 1 ? 'once' : `${gaps.length} times`}, last by ${last.by} at ${last.since}; nobody drove it for ${down} s.${again}`,
    ids: [],
    next: { tool: 'list_messages', arguments: { execution_id, message_type: 'driver_started' } },
  };
});
