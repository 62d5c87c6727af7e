import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { configInvalid, hasCode } from '../../lib/errors.ts';
import { parseAddress } from '../serve/listening.ts';
import { configOf } from '../shared/configured.ts';
import { type BrokerFlags, type Io, shellWord, storePath, wordsOfFlags } from '../shared/io.ts';

interface UnitArguments extends BrokerFlags {
  metrics?: string;
  user: boolean;
  supervisor: boolean;
  /** If the service is an observer instead of `swf-mcp up`: the layout of the testbed's topics, or `none`. */
  observe?: string;
  /** Whether `swf-mcp up` also runs a watcher for alarms. */
  watch: boolean;
}

/** The seconds needed, beyond the payload's time limit, to confirm and record its result. */
const lastMessagesSeconds = 30;

/**
 * `swf-mcp unit`: prints the service file that runs `swf-mcp up`, or `swf-mcp observe`, with these arguments.
 */
export function unitCommand(io: Io, args: UnitArguments) {
  if (args.observe !== undefined && args.broker === undefined && args.config === undefined && args.sets.length === 0)
    throw configInvalid('an observer listens to a broker; give --broker stomp://HOST:PORT');
  if (args.metrics !== undefined) parseAddress(args.metrics, '--metrics');
  const words = [
    ...io.self(),
    '--db',
    // A system service has its store in a state directory.
    args.user || args.supervisor || io.db !== undefined ? storePath(io) : '%S/swf-mcp/swf.db',
    ...commandWords(io, args),
    ...wordsOfFlags({ broker: args.broker, set: args.sets, metrics: args.metrics }),
  ];
  // Longer than a payload may take, since agents finish the slices in hand.
  const stopSeconds = Math.ceil(payloadSeconds(io, args)) + lastMessagesSeconds;
  const service = { ...args, folder: io.workingFolder, stopSeconds };
  io.out(args.supervisor ? supervisorProgram(words, service) : systemdUnit(words, service));
}

/** The command, `up` or `observe`, and the arguments that only one of them has. */
function commandWords(io: Io, { config, watch, observe }: UnitArguments) {
  const place = config && placeOf(io, config);
  if (observe === undefined) return ['up', ...(watch ? ['--watch'] : []), ...(place === undefined ? [] : [place])];
  return ['observe', ...wordsOfFlags({ layout: observe === 'none' ? undefined : observe, config: place })];
}

/**
 * How long a payload may take, in seconds. If the configuration file exists only on the service's host, falls
 * back to the configuration without it.
 */
function payloadSeconds(io: Io, { config: named, sets }: UnitArguments) {
  const load = (config: string | undefined) => configOf(io, { config, sets }).config.worker.timeout_seconds;
  try {
    return load(named);
  } catch (error) {
    if (hasCode(error, 'CONFIG_NOT_FOUND')) return load(undefined);
    throw error;
  }
}

type Service = Pick<UnitArguments, 'observe' | 'user'> & { folder: string; stopSeconds: number };

/**
 * A file by its absolute path, since a service starts in another folder; a shipped configuration by its name.
 */
function placeOf({ workingFolder }: Io, config: string) {
  const path = resolve(workingFolder, config);
  return existsSync(path) ? path : config;
}

/**
 * A word in a systemd unit. Percent and dollar signs are special, and words are quoted as in C
 * (systemd.service(5)).
 */
const systemdWord = (word: string) => {
  if (word.startsWith('%S/')) return word;
  const escaped = word.replaceAll('%', '%%').replaceAll('$', () => '$$');
  return /^[A-Za-z0-9_./:@%+=,$-]+$/.test(escaped) ? escaped : JSON.stringify(escaped);
};

const systemdUnit = (words: readonly string[], { observe, user, folder, stopSeconds }: Service) => `[Unit]
Description=swf-mcp ${observe === undefined ? 'agents' : 'observer'}
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=all
# Startup waits for the broker.
TimeoutStartSec=infinity
${user ? '' : 'User=swf\nStateDirectory=swf-mcp\nStateDirectoryMode=0700\n'}UMask=0077
# ACTIVEMQ_USER, ACTIVEMQ_PASSWORD and the like.
EnvironmentFile=-${user ? '%h/.config/swf-mcp/env' : '/etc/swf-mcp/env'}
WorkingDirectory=${user ? folder.replaceAll('%', '%%') : '%S/swf-mcp'}
ExecStart=${words.map(systemdWord).join(' ')}
Restart=on-failure
RestartSec=2
# Wrong usage, and settings that a restart cannot fix.
RestartPreventExitStatus=2 78
KillMode=mixed
# Longer than a payload may take: agents finish the slices in hand.
TimeoutStopSec=${stopSeconds}
WatchdogSec=60
NoNewPrivileges=yes
${user ? '' : hardening}
[Install]
WantedBy=${user ? 'default.target' : 'multi-user.target'}
`;

/** Restrictions for a system service. Folders of data files in other places need ReadWritePaths=. */
const hardening = `ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
SystemCallArchitectures=native
`;

/** A program section of supervisord's configuration, in which a percent sign is special. */
const supervisorProgram = (words: readonly string[], { folder, stopSeconds }: Service) => `[program:swf-mcp]
command=${words.map((word) => shellWord(word).replaceAll('%', '%%')).join(' ')}
directory=${folder.replaceAll('%', '%%')}
autostart=true
autorestart=unexpected
exitcodes=0,2,78
startretries=10
stopsignal=TERM
stopwaitsecs=${stopSeconds}
stopasgroup=false
killasgroup=true
; ACTIVEMQ_USER and ACTIVEMQ_PASSWORD come from supervisord's own environment, or from environment= here.
`;
