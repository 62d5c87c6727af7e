import { existsSync, lstatSync, readFileSync, readlinkSync, realpathSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** File systems shared with other hosts, by the kernel's numbers for them (statfs(2)). */
const networkFileSystems: Readonly<Record<number, string>> = {
  0x69_69: 'NFS',
  0x51_7b: 'SMB',
  0xff_53_4d_42: 'CIFS',
  0xfe_53_4d_42: 'SMB2',
  0x53_46_41_4f: 'AFS',
  0x6b_41_46_53: 'AFS',
  0x00_c3_64_00: 'CephFS',
  0x0b_d0_0b_d0: 'Lustre',
  0x47_50_46_53: 'GPFS',
  0x19_83_03_26: 'BeeGFS',
  0x20_03_05_28: 'OrangeFS',
  0x01_02_19_97: '9P',
  0x78_6f_42_56: 'VirtualBox shared folders',
};

const fuse = 0x65_73_55_46;

/** The FUSE file systems that are remote; all others are local. */
const networkFuse = /^fuse\.(sshfs|rclone|s3fs|glusterfs|ceph|ceph-fuse|gcsfuse|smbnetfs|davfs|cvmfs2|eosxd|xrootdfs)$/;

/**
 * The name of the network file system that a path is on, or undefined for a local one. SQLite's write-ahead
 * log needs memory that all its users share, so a store on a network file system would be damaged.
 */
export function networkFileSystemOf(path: string) {
  let folder = targetOf(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { type } = statfsSync(folder);
  if (type !== fuse) return networkFileSystems[type];
  const kind = mountedAs(realpathSync(folder));
  return kind !== undefined && networkFuse.test(kind) ? kind.slice('fuse.'.length) : undefined;
}

/** The target of a link, even if nothing exists there yet: a new file would be created there. */
function targetOf(path: string) {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  // A cycle of links is reported when the file is opened.
  return isLink && existsSync(dirname(path)) ? resolve(dirname(path), readlinkSync(path)) : path;
}

/** The type of a folder's file system, from the kernel's list of mounts. */
function mountedAs(folder: string) {
  try {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map(mountOf);
    const holding = mounts.filter(({ at }) => at === folder || folder.startsWith(at.endsWith('/') ? at : `${at}/`));
    // The innermost mount; if several are at the same place, the last one.
    return holding.reduce((best, mount) => (mount.at.length >= best.at.length ? mount : best), { at: '', kind: '' })
      .kind;
  } catch {
    return undefined;
  }
}

/**
 * Fields as in proc(5): the mount point is the fifth, with spaces as octal escapes; the type follows the
 * dash.
 */
function mountOf(line: string) {
  const [before = '', after = ''] = line.split(' - ');
  const at = (before.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );
  return { at, kind: after.split(' ')[0] ?? '' };
}
