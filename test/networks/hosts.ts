import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

import { cliPath, type Started, startProcess, temporaryFolder, withoutListening } from '../helpers.ts';

/** Why tests with their own networks cannot run here, or undefined. In CI that is a failure. */
export function networksAreMissing(): string | undefined {
  const mayMake = process.getuid?.() === 0 && existsSync('/usr/sbin/ip');
  return mayMake || process.env['CI'] === 'true'
    ? undefined
    : 'tests with their own networks are skipped: run as root with the Debian package iproute2 to enable them';
}

const ip = (...words: string[]): void =>
  void execFileSync('/usr/sbin/ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });

let made = 0;

/** The first part of the addresses in a network that neither another test file uses nor a killed one has left behind. */
function freeNetwork(): string {
  const taken = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  );
  for (let n = process.pid; ; n += 1) {
    const net = `10.${100 + ((n >> 8) % 100)}.${n & 255}`;
    if (!taken.some((address) => address.startsWith(`${net}.`))) return net;
  }
}

/**
 * Hosts that share nothing but a network: each has a network namespace, a name, a machine id and its own folder, and sees the folders of the
 * others empty. This process reaches all of them at their addresses.
 */
export class Hosts {
  /** The address of this process in their network. */
  readonly gateway: string;
  readonly #bridge: string;
  readonly #hosts: Host[] = [];

  constructor(names: readonly string[]) {
    made += 1;
    const key = `${process.pid.toString(36)}${made}`;
    const net = freeNetwork();
    this.gateway = `${net}.254`;
    this.#bridge = `swf${key}`;
    ip('link', 'add', this.#bridge, 'type', 'bridge');
    ip('addr', 'add', `${this.gateway}/24`, 'dev', this.#bridge);
    ip('link', 'set', this.#bridge, 'up');
    const folders = names.map(() => temporaryFolder());
    for (const [at, name] of names.entries()) {
      const others = folders.filter((_, other) => other !== at);
      this.#hosts.push(
        new Host({
          name,
          key: `${key}${at}`,
          bridge: this.#bridge,
          address: `${net}.${at + 1}`,
          folder: folders[at] ?? '',
          others,
        }),
      );
    }
  }

  host(name: string): Host {
    const found = this.#hosts.find((host) => host.name === name);
    if (found === undefined) throw new Error(`there is no host ${name}`);
    return found;
  }

  /** Ends every process on them. */
  close(): void {
    for (const host of this.#hosts) host.remove();
    ip('link', 'del', this.#bridge);
  }
}

interface HostFacts {
  name: string;
  key: string;
  bridge: string;
  address: string;
  folder: string;
  others: readonly string[];
}

export class Host {
  readonly name: string;
  readonly address: string;
  readonly folder: string;
  readonly #space: string;
  readonly #link: string;
  readonly #machineId: string;
  readonly #others: readonly string[];
  readonly #started: Started[] = [];

  constructor({ name, key, bridge, address, folder, others }: HostFacts) {
    this.name = name;
    this.address = address;
    this.folder = folder;
    this.#others = others;
    this.#space = `swf-${key}`;
    this.#link = `v${key}`;
    this.#machineId = join(folder, 'machine-id');
    writeFileSync(this.#machineId, `${key.padEnd(32, '0')}\n`);
    for (const each of ['home', 'full']) mkdirSync(join(folder, each));
    ip('netns', 'add', this.#space);
    ip('link', 'add', this.#link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#space);
    ip('link', 'set', this.#link, 'master', bridge, 'up');
    ip('-n', this.#space, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) ip('-n', this.#space, 'link', 'set', device, 'up');
  }

  /** A disk without room for a file, a fresh one for each process. */
  get smallDisk(): string {
    return join(this.folder, 'full');
  }

  /** The command that starts a program on this host. The program keeps the process id of the command. */
  within(command: string, args: string[]): { command: string; args: string[] } {
    const script = [
      `hostname ${this.name}`,
      `if [ -e /etc/machine-id ]; then mount --bind ${this.#machineId} /etc/machine-id; fi`,
      ...this.#others.map((folder) => `mount -t tmpfs -o size=4k none ${folder}`),
      `mount -t tmpfs -o size=8k none ${this.smallDisk}`,
      'exec "$@"',
    ].join(' && ');
    const apart = ['unshare', '--uts', '--mount', 'sh', '-c', script, 'sh'];
    return { command: '/usr/sbin/ip', args: ['netns', 'exec', this.#space, ...apart, command, ...args] };
  }

  /** Starts the built command line on this host, in its folder. */
  start(args: string[], env: Record<string, string> = {}): Started {
    const { command, args: words } = this.within(process.execPath, [cliPath, ...withoutListening(args)]);
    const started = startProcess(command, words, {
      folder: this.folder,
      env: { HOME: join(this.folder, 'home'), ...env },
    });
    this.#started.push(started);
    return started;
  }

  /** Kills its processes at once, as when the power fails. */
  async die(): Promise<void> {
    const dying = this.#started.splice(0);
    for (const { child } of dying) child.kill('SIGKILL');
    await Promise.all(dying.map(({ finished }) => finished));
  }

  cutLink(): void {
    ip('link', 'set', this.#link, 'down');
  }

  mendLink(): void {
    ip('link', 'set', this.#link, 'up');
  }

  remove(): void {
    for (const { child } of this.#started) child.kill('SIGKILL');
    ip('netns', 'del', this.#space);
  }
}
