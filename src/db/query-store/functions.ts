const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** SQLite functions that a query may call: they read nothing but their arguments. */
export const functions = words(`
  abs char coalesce concat concat_ws format glob hex ifnull iif if instr length like likelihood likely lower ltrim max min nullif
  octet_length printf quote replace round rtrim sign substr substring trim typeof unhex unicode unlikely upper
  date time datetime julianday unixepoch strftime timediff
  acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi pow power radians sin sinh sqrt tan tanh trunc
  avg count group_concat string_agg sum total median percentile percentile_cont percentile_disc
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  json json_array json_array_length json_extract json_object json_patch json_quote json_type json_valid json_group_array json_group_object
`);

/** SQL keywords that a parenthesis may follow. */
export const wordsBeforeParenthesis = words(`
  all and as between by case cast distinct else escape except exists filter from group having in intersect is join limit materialized
  not offset on or over order partition range rows groups select then union using values when where with
`);
