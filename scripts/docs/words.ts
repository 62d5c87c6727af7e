/** Words that the pages, comments and messages do not use, each with what takes its place. */
export const forbiddenWords: readonly [pattern: RegExp, instead: string][] = [
  [/\bwho(?:m|so)?ever\b/i, 'name the subject'],
  [/(?:^|[.!:] |\/\*\* |\/\/ |^ *\* |[|] )(?:Who|What) (?!you can)/, 'begin with a subject'],
  [/(?<!')\b[Hh]eart-beats?\b/, 'heartbeat'],
];
