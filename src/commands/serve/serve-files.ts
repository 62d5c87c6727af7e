import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

import { isLoopback } from '../../http/callers.ts';
import { createFilesApp } from '../../http/files-app.ts';
import { aborted } from '../../lib/deadline.ts';
import { configInvalid as invalid } from '../../lib/errors.ts';
import { configOf } from '../shared/configured.ts';
import { type ConfigFlags, type Io, storePath } from '../shared/io.ts';
import { asService, tellReady } from '../shared/service-manager.ts';
import { type AccessArguments, readTls, requireToken } from './http-access.ts';
import { parseAddress, serveAt } from './listening.ts';

interface ServeFilesArguments extends ConfigFlags, Pick<AccessArguments, 'tlsCert' | 'tlsKey'> {
  where: string;
}

/**
 * `swf-mcp serve-files`: publishes the folder of data files read-only over HTTP until a signal arrives.
 * Returns the exit code.
 */
export const serveFilesCommand = (io: Io, args: ServeFilesArguments) =>
  asService(io, (signal) => serve(io, args, signal));

async function serve(io: Io, args: ServeFilesArguments, signal: AbortSignal) {
  const { where } = args;
  const address = parseAddress(where, 'serve-files');
  const tls = readTls(io, args);
  const token = requireToken(io, 'SWF_FILES_TOKEN', address.host, `serve-files ${where}`);
  const { data } = configOf(io, args).config;
  const folder = resolve(io.workingFolder, data.dir ?? `${storePath(io)}.data`);
  requireFolder(folder);
  await using served = await serveAt(createFilesApp({ folder, token }), address, `serve-files ${where}`, tls);
  io.err(`swf-mcp ${io.version}: files in ${folder} at ${served.root}${token === undefined ? '' : ', with a token'}`);
  if (!existsSync(folder))
    io.err(`WARNING ${folder} does not exist yet; the first run or agent with this data.dir creates it`);
  if (token === undefined)
    io.err('WARNING every user of this machine can read these files; set SWF_FILES_TOKEN to keep others out');
  else if (tls === undefined && !isLoopback(address.host))
    io.err('WARNING the token and the files cross the network in the clear; give --tls-cert and --tls-key');
  tellReady(io);
  await aborted(signal);
}

/** A missing folder is allowed: the first run or agent creates it. */
function requireFolder(folder: string) {
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw invalid(`data.dir = ${JSON.stringify(folder)} is not a folder; name another with --set data.dir=FOLDER`);
}
