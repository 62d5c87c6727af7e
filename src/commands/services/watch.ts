import { pause } from '../../lib/deadline.ts';
import { NoStoreYet } from '../../lib/errors.ts';
import { programReceiver, webhookReceiver } from '../../watch/receiver.ts';
import { watch } from '../../watch/watch.ts';
import { requireProgram } from '../drive/notify.ts';
import { configOf } from '../shared/configured.ts';
import { requireFindingCode } from '../shared/finding-codes.ts';
import { type ConfigFlags, type Io, namesStore, pageUrl, storePath } from '../shared/io.ts';
import { existingStore } from '../shared/own-store.ts';
import { asService, tellReady } from '../shared/service-manager.ts';
import { createStoreReader } from '../shared/store-reader.ts';

interface WatchArguments extends ConfigFlags {
  notify?: string;
  webhook: string[];
  /** Seconds between two checks. */
  every: number;
  untilParentEnds: boolean;
}

/**
 * `swf-mcp watch`: raises alarms for findings that persist, and notifies receivers, until SIGTERM. Returns
 * the exit code.
 */
export const watchCommand = (io: Io, args: WatchArguments) =>
  asService(io, (signal) => watchStore(io, args, signal), args);

async function watchStore(io: Io, args: WatchArguments, signal: AbortSignal) {
  const after = patienceByCode(io, args);
  const receivers = receiversOf(io, args);
  const page = pageUrl(io);
  using store = await openWhenThere(io, signal);
  if (store === undefined) return;
  using reader = createStoreReader(io);
  await watch({
    store,
    queries: reader.queries,
    receivers,
    everySeconds: args.every,
    after,
    version: io.version,
    page,
    say: io.err,
    onReady: () => tellReady(io),
    signal,
  });
}

/** How often to look for the store, in milliseconds. */
const lookMilliseconds = 1000;

/** Opens the store once it exists; undefined if the signal is aborted first. */
async function openWhenThere(io: Io, signal: AbortSignal) {
  for (let isFirst = true; !signal.aborted; isFirst = false)
    try {
      return await existingStore(io);
    } catch (error) {
      if (!(error instanceof NoStoreYet)) throw error;
      if (isFirst) io.err(`waiting for the store ${storePath(io)}, which a run or an observer creates`);
      if (isFirst) tellReady(io);
      await pause(lookMilliseconds, [signal]);
    }
  return undefined;
}

/** Throws `CONFIG_INVALID` for a code that no finding has. */
function patienceByCode(io: Io, flags: ConfigFlags) {
  const { after = {} } = configOf(io, flags).config.watch ?? {};
  for (const code of Object.keys(after)) requireFindingCode('watch.after', code);
  return after;
}

function receiversOf(io: Io, { notify, webhook }: WatchArguments) {
  const program = requireProgram(io, notify);
  const { SWF_WEBHOOK: usual = '' } = io.env;
  const addresses = webhook.length > 0 ? webhook : usual === '' ? [] : [usual];
  return [
    ...(program === undefined ? [] : [programReceiver(program, io.env, namesStore(io))]),
    ...addresses.map((address) => webhookReceiver(address)),
  ];
}
