import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort } from '../brokers/broker.ts';
import { temporaryFolder } from '../folder.ts';
import { startServer, whyMissing } from './file-server.ts';

const program = '/usr/sbin/nginx';

export const nginxIsMissing = (): string | undefined => whyMissing(existsSync(program), 'nginx', 'nginx-light');

/** nginx in front of a folder, which asks for a token. Ends with the test. */
export async function startNginx(folder: string, token: string): Promise<{ url: string; requests: () => string[] }> {
  const own = temporaryFolder();
  const port = await freePort();
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(own, name));
  writeFileSync(
    join(own, 'nginx.conf'),
    `user root; daemon off; pid ${own}/pid; error_log ${own}/error.log;
events {}
http {
  log_format plain '$request $status $http_range';
  access_log ${own}/access.log plain;
  client_body_temp_path ${own}/body; proxy_temp_path ${own}/proxy; fastcgi_temp_path ${own}/fastcgi;
  uwsgi_temp_path ${own}/uwsgi; scgi_temp_path ${own}/scgi;
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    if ($http_authorization != "Bearer ${token}") { return 401; }
  }
}
`,
  );
  await startServer(program, ['-c', join(own, 'nginx.conf'), '-e', join(own, 'error.log')], port);
  const requests = (): string[] => readFileSync(join(own, 'access.log'), 'utf8').trim().split('\n');
  return { url: `http://127.0.0.1:${port}`, requests };
}
