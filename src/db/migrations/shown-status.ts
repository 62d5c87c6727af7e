/** As SQL: the STF files of an execution: those announced, or as many as the end of its run states. @param stated the number that it states */
export const stfCount = (stated: string): string => `max(stfs_announced, coalesce(${stated}, 0))`;
