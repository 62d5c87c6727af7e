// `npm run release:check` lists what a release lacks, one line each. `npm run release:prepare` derives
// everything that names the repository elsewhere from `repository` in package.json, which the publisher
// sets: homepage, bugs and mcpName in package.json, and server.json for the MCP registry.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** The owner and name of `github:OWNER/NAME`, or undefined. */
const ownerOf = (repository) => /^github:([\w.-]+)\/([\w.-]+)$/.exec(repository ?? '')?.slice(1);

/**
 * The fields of package.json that are derived from `repository`.
 * @param {{ name: string, repository?: string }} about
 */
export function derivedFields({ name, repository }) {
  const [owner, repo] = ownerOf(repository) ?? [];
  if (owner === undefined) return undefined;
  const page = `https://github.com/${owner}/${repo}`;
  return { homepage: `${page}#readme`, bugs: `${page}/issues`, mcpName: `io.github.${owner}/${name}` };
}

/** The entry for the MCP registry (schema 2025-12-11). */
export function serverJson({ name, version, description, repository, mcpName }) {
  const [owner, repo] = ownerOf(repository);
  const variable = (key, about, more = {}) => ({ name: key, description: about, isRequired: false, ...more });
  return {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: mcpName,
    description,
    repository: { url: `https://github.com/${owner}/${repo}`, source: 'github' },
    version,
    packages: [
      {
        registryType: 'npm',
        identifier: name,
        version,
        transport: { type: 'stdio' },
        environmentVariables: [
          variable('SWF_DB', 'The store (default: ~/.local/share/swf-mcp/swf.db)', { format: 'filepath' }),
          variable('SWF_LOG_LEVEL', 'The lowest level of recorded log lines (default: INFO)'),
        ],
      },
    ],
  };
}

/** What a release lacks, one sentence each. Tests, which take minutes, run only if nothing else is missing. */
export function missingFor({ about, server, changelog, tags, changes, testsPass }) {
  const { version, repository, ...fields } = about;
  const derived = derivedFields(about);
  const escaped = version.replaceAll('.', String.raw`\.`);
  const missing = [];
  if (derived === undefined)
    missing.push(`repository: ${repository ?? 'none'} in package.json; npm pkg set repository=github:OWNER/NAME`);
  else if (Object.entries(derived).some(([key, value]) => fields[key] !== value))
    missing.push('homepage, bugs or mcpName: not those of repository; npm run release:prepare');
  else if (server !== `${JSON.stringify(serverJson(about), null, 2)}\n`)
    missing.push('server.json: not made from package.json; npm run release:prepare');
  if (!new RegExp(String.raw`^## ${escaped} \(\d{4}-\d\d-\d\d\)$`, 'm').test(changelog))
    missing.push(`changelog entry: CHANGELOG.md has no "## ${version} (YYYY-MM-DD)"`);
  if (changes !== '') missing.push(`clean tree: ${changes.trim().split('\n').length} files are not committed`);
  if (!tags.includes(`v${version}`)) missing.push(`tag: git tag v${version} on this commit`);
  if (missing.length === 0 && !testsPass()) missing.push('tests: npm test fails');
  return missing;
}

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' });

function prepare() {
  const about = JSON.parse(read('package.json'));
  const derived = derivedFields(about);
  if (derived === undefined) return 'set the repository first: npm pkg set repository=github:OWNER/NAME';
  Object.assign(about, derived);
  writeFileSync('package.json', `${JSON.stringify(about, null, 2)}\n`);
  writeFileSync('server.json', `${JSON.stringify(serverJson(about), null, 2)}\n`);
  return undefined;
}

function check() {
  const missing = missingFor({
    about: JSON.parse(read('package.json')),
    server: read('server.json'),
    changelog: read('CHANGELOG.md'),
    tags: git('tag', '--points-at', 'HEAD').split('\n'),
    changes: git('status', '--porcelain'),
    testsPass: () => spawnSync('npm', ['test'], { stdio: 'inherit' }).status === 0,
  });
  return missing.length === 0 ? undefined : missing.join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const problem = process.argv[2] === 'prepare' ? prepare() : check();
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 1;
  }
}
