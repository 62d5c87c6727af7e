import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { type Io, exitCodes, shellWord, storePath } from './io.ts';

export interface UnitArguments {
  config: string | undefined;
  broker: string | undefined;
  sets: string[];
  /** For the user's own systemd. */
  user: boolean;
  /** For supervisord. */
  supervisor: boolean;
}

/** A payload may take ten minutes by default; its result has to be confirmed too. Seconds. */
const stopSeconds = 630;

/** `swf-mcp unit`: prints the service file that runs `swf-mcp up` with these arguments. */
export function unitCommand(io: Io, args: UnitArguments): number {
  const words = [
    ...io.self(),
    '--db',
    // A service of the system has its store in the state directory of its own.
    args.user || args.supervisor || io.db !== undefined ? storePath(io) : '%S/swf-mcp/swf.db',
    'up',
    ...(args.config === undefined ? [] : [placeOf(io, args.config)]),
    ...(args.broker === undefined ? [] : ['--broker', args.broker]),
    ...args.sets.flatMap((set) => ['--set', set]),
  ];
  io.out(
    args.supervisor ? supervisorProgram(words, io.workingFolder) : systemdUnit(words, args.user, io.workingFolder),
  );
  return exitCodes.fine;
}

/** A file by its whole path, since a service starts in another folder; a shipped configuration by its name. */
function placeOf({ workingFolder }: Io, config: string): string {
  const path = resolve(workingFolder, config);
  return existsSync(path) ? path : config;
}

/** See systemd.service(5): a percent sign and a dollar sign are special, words are quoted as in C. */
const systemdWord = (word: string): string => {
  if (word.startsWith('%S/')) return word;
  const escaped = word.replaceAll('%', '%%').replaceAll('$', () => '$$');
  return /^[A-Za-z0-9_./:@%+=,$-]+$/.test(escaped) ? escaped : JSON.stringify(escaped);
};

const systemdUnit = (words: readonly string[], isOfUser: boolean, folder: string): string => `[Unit]
Description=swf-mcp agents
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=all
${isOfUser ? '' : 'User=swf\nStateDirectory=swf-mcp\nStateDirectoryMode=0700\n'}UMask=0077
# ACTIVEMQ_USER, ACTIVEMQ_PASSWORD and the like.
EnvironmentFile=-${isOfUser ? '%h/.config/swf-mcp/env' : '/etc/swf-mcp/env'}
WorkingDirectory=${isOfUser ? folder.replaceAll('%', '%%') : '%S/swf-mcp'}
ExecStart=${words.map(systemdWord).join(' ')}
Restart=on-failure
RestartSec=2
# Wrong usage, and settings that no restart mends.
RestartPreventExitStatus=2 78
KillMode=mixed
# Longer than a payload may take: agents finish the slices in hand.
TimeoutStopSec=${stopSeconds}
WatchdogSec=60
NoNewPrivileges=yes
${isOfUser ? '' : hardening}
[Install]
WantedBy=${isOfUser ? 'default.target' : 'multi-user.target'}
`;

/** For a service of the system. Folders of data files that are elsewhere need ReadWritePaths=. */
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

/** See supervisord's configuration: a percent sign is special. */
const supervisorProgram = (words: readonly string[], folder: string): string => `[program:swf-mcp]
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
