import { existsSync, readFileSync } from 'node:fs';

const asUrl = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;

/** A module that writes the URL of each import, one a line, into the file of `SWF_IMPORTED`. */
const watcher = asUrl(
  `import { register } from 'node:module'; register(${JSON.stringify(
    asUrl(`import { appendFileSync } from 'node:fs';
      export async function load(url, context, next) { appendFileSync(process.env.SWF_IMPORTED, url + '\\n'); return next(url, context); }`),
  )});`,
);

/** The environment of a process whose imports are to be noted in a file. */
export const notingImports = (file: string): Record<string, string> => ({
  SWF_IMPORTED: file,
  NODE_OPTIONS: `--import ${watcher}`,
});

/** The URLs that such a process has imported, each once. */
export const importedUrls = (file: string): string[] =>
  existsSync(file) ? [...new Set(readFileSync(file, 'utf8').trim().split('\n'))] : [];
