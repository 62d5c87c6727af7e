export const examples: Readonly<Record<string, readonly string[]>> = {
  run: [
    'run                              as shipped, in real time: 2 min 46 s',
    'run --speed max --stf-count 3    as fast as it goes, 3 STF files',
    'run mine.toml --set fast_processing.target_worker_count=100',
    'run --notify ./tell.sh           tell.sh hears of failures and the end',
  ],
  observe: [
    'observe --check --broker stomp://HOST:61613    who is heard',
    'observe --broker stomp://HOST:61613 --layout head --record heard/',
    'observe --from heard/*.jsonl.gz --anonymize given-away.jsonl.gz',
  ],
  resume: ['resume latest', 'resume stf_datataking-alice-0001 --speed 20'],
  pause: ['pause latest --reason "beam studies"'],
  continue: ['continue latest'],
  stop: ['stop latest --reason "beam dump"'],
  status: ['status', 'status --watch', 'status --all --json', 'status stf_datataking-alice-0001'],
  list: ['list --status running', 'list --start-time -1d -o csv'],
  files: ['files --has-slices false', 'files latest -o wide'],
  agents: ['agents                               living agents', 'agents latest'],
  tools: ['tools', 'tools summarize'],
  config: ['config', 'config histogram', 'config --list'],
  slices: ['slices --status failed', 'slices latest --order-by seconds -o wide', 'slices -o csv'],
  messages: ['messages --message-type end_run', 'messages --search swf.100010.000001.stf'],
  logs: ['logs -f', 'logs --level WARNING --start-time -1h'],
  summarize: [
    'summarize                            slices by status',
    'summarize slices --group-by cause    why attempts failed',
    'summarize messages --group-by day',
  ],
  trace: ['trace swf.100010.000001_slice_003.tf'],
  report: ['report latest', 'report --since -8h'],
  plan: ['plan --set fast_processing.target_worker_count=100', 'plan histogram --json'],
  export: ['export latest --out run-of-today --format parquet'],
  prune: ['prune --older-than 30d --dry-run', 'prune --keep 100'],
  call: ['call get_workflow_monitor execution_id=latest', 'call list_tf_slices status=failed limit=5'],
  completion: ['completion bash >> ~/.bashrc', 'completion fish > ~/.config/fish/completions/swf-mcp.fish'],
};

/** The examples of a command as its help shows them; undefined if it has no examples. */
export function examplesOf(name: string): string | undefined {
  const lines = examples[name];
  return lines === undefined ? undefined : `\nExamples:\n${lines.map((line) => `  swf-mcp ${line}`).join('\n')}`;
}
