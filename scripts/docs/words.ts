/** Words that the pages, comments and messages do not use, each with what takes its place. */
export const forbiddenWords: readonly [pattern: RegExp, instead: string][] = [
  [/\bwho(?:m|so)?ever\b/i, 'name the subject'],
  [/(?:^|[.!:] |\/\*\* |\/\/ |^ *\* |[|] )(?:Who|What) (?!you can)/, 'begin with a subject'],
  [/(?<!')\b[Hh]eart-beats?\b/, 'heartbeat'],
  [/\b(?:is|are|was|were) none\b/, 'name what is missing: no X, X does not exist'],
  [/\bany more\b/, 'no longer'],
  [/\b(?:it|they) (?:is|are) looked\b/, 'name the one that looks'],
  [/\bfor so long\b/, 'for this long, for at least S seconds'],
  [/\bworth a word\b/, 'slow enough to report'],
  [/\bnames the others\b/, 'lists the rest'],
  [/\bof (?:which|whom) nobody\b/, 'begin with the subject'],
  [/\bwhose \w+(?: \w+)? (?:is|are) not\b/, 'without'],
];
