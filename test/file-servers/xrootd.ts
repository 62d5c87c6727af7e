import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort } from '../brokers/broker.ts';
import { temporaryFolder } from '../folder.ts';
import { startServer, whyMissing } from './file-server.ts';

const program = '/usr/bin/xrootd';
const client = '/usr/bin/xrdcp';

export const xrootdIsMissing = (): string | undefined =>
  whyMissing(
    existsSync(program) && existsSync(client),
    'XRootD',
    'xrootd-server, xrootd-client and xrootd-server-plugins',
  );

interface XRootD {
  /** By HTTPS, for a client that trusts `certificate`. */
  https: string;
  /** By its own protocol, for `xrdcp`. */
  root: string;
  certificate: string;
}

/** An XRootD server that exports a folder, with access by HTTPS. It refuses to run as root, so it reads by a capability. Ends with the test. */
export async function startXRootD(folder: string): Promise<XRootD> {
  const own = temporaryFolder();
  const [port, https] = [await freePort(), await freePort()];
  const at = (name: string): string => join(own, name);
  mkdirSync(at('admin'));
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  const files = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', at('key.pem'), '-out', at('certificate.pem')];
  execFileSync('openssl', [...request, ...files], { stdio: 'ignore' });
  writeFileSync(
    at('xrootd.cfg'),
    `all.export ${folder} r/o
all.adminpath ${own}/admin
all.pidpath ${own}/admin
xrd.port ${port}
xrd.tls ${at('certificate.pem')} ${at('key.pem')}
xrd.tlsca noverify
xrd.protocol XrdHttp:${https} libXrdHttp.so
xrd.network nodnr
`,
  );
  execFileSync('chown', ['-R', 'xrootd', own]);
  const identity = ['--reuid', 'xrootd', '--regid', 'xrootd', '--clear-groups'];
  const capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  const args = [...identity, ...capability, program, '-c', at('xrootd.cfg'), '-l', at('log')];
  await startServer('setpriv', args, https);
  return {
    https: `https://localhost:${https}/${folder}`,
    root: `root://localhost:${port}/${folder}`,
    certificate: at('certificate.pem'),
  };
}
