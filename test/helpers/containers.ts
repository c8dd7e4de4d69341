import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';

const cache = path.resolve(import.meta.dirname, '../../.cache/containers');

/** The tools that build and run images and install their base system. All are in Debian. */
const tools = ['buildah', 'podman', 'runc', 'debootstrap'];

/** Flags of buildah for a machine that pulls no images and has no user namespaces. */
export const buildFlags = ['--pull-never', '--isolation=chroot', '--network=host', '--format=docker'];

/** Flags of podman: the limits of restricted pods in Kubernetes, and the network of this machine. */
export const runFlags = [
  ...['--read-only', '--tmpfs=/tmp', '--user=65532:65532', '--cap-drop=ALL', '--security-opt=no-new-privileges'],
  ...['--network=host', '--no-healthcheck', '--ulimit=nofile=1024:1024', '--ulimit=nproc=4096:4096'],
];

/** @returns the tools that this machine lacks */
export async function missingTools(): Promise<string[]> {
  const found = await Promise.all(
    tools.map(async (tool) => (await execa(tool, ['--version'], { reject: false })).failed),
  );
  return tools.filter((_, index) => found[index]);
}

/** @returns environment variables that make the tools keep their images here, apart from the user's own */
export function ownStore(): NodeJS.ProcessEnv {
  mkdirSync(cache, { recursive: true });
  const file = path.join(cache, 'storage.conf');
  const [graph, run] = [path.join(cache, 'graph'), path.join(os.tmpdir(), 'slipway-containers')];
  writeFileSync(file, `[storage]\ndriver = "overlay"\ngraphroot = "${graph}"\nrunroot = "${run}"\n`);
  return { CONTAINERS_STORAGE_CONF: file };
}

/** The Node that replaces the one of the official image. */
export interface StandIn {
  /** Path of the executable, in the `bin` of its package. */
  readonly node: string;
  /** Path of npm's folder. */
  readonly npm: string;
  /** The source of npm's packages on this machine. */
  readonly registry: string;
  /** The file with the certificates that npm trusts; undefined when npm has no such setting. */
  readonly cafile: string | undefined;
}

/**
 * Finds the npm of this machine and its settings for the source of packages.
 * @param newNode folder of a `node` that is new enough for services, in the `bin` of its package
 * @param env environment of the user's shell
 */
export async function standInOf(newNode: string, env: NodeJS.ProcessEnv): Promise<StandIn> {
  const npm = async (...args: string[]) => (await execa('npm', args, { cwd: os.tmpdir(), env })).stdout;
  const cafile = await npm('config', 'get', 'cafile');
  return {
    node: realpathSync(path.join(newNode, 'node')),
    npm: path.join(await npm('root', '--global'), 'npm'),
    registry: await npm('config', 'get', 'registry'),
    cafile: cafile === 'null' ? undefined : cafile,
  };
}

/** A file of an image, as `tar` lists it. */
export interface ImageFile {
  /** For example `-rwxr-xr-x`. */
  readonly mode: string;
  readonly bytes: number;
  /** The path without a leading slash. */
  readonly name: string;
}

/**
 * @param image name of the image
 * @param env environment from `ownStore`
 * @returns every file and folder in it
 */
export async function filesOf(image: string, env: NodeJS.ProcessEnv): Promise<ImageFile[]> {
  const { stdout: container } = await execa('podman', ['--runtime=runc', 'create', image], { env });
  const { stdout } = await execa(`podman export ${container} | tar --list --verbose`, { env, shell: true });
  await execa('podman', ['rm', container], { env });
  return stdout.split('\n').map((line) => {
    const [mode = '', , size, , , name = ''] = line.split(/\s+/);
    return { mode, bytes: Number(size), name };
  });
}

/**
 * Builds a replacement for Node's official image, which cannot be pulled here: Debian's smallest system with a Node
 * and an npm of this machine. The Debian system is cached between runs.
 * @param image name of the image in the Dockerfile: `node:26.12.1-trixie-slim`
 * @param standIn what the image contains besides Debian
 * @param env environment from `ownStore`
 * @returns the name of the replacement
 */
export async function provideNodeImage(image: string, standIn: StandIn, env: NodeJS.ProcessEnv): Promise<string> {
  const suite = /-(\w+)-slim$/.exec(image)?.[1] ?? '';
  const debian = `localhost/debian:${suite}`;
  const buildah = async (...args: string[]) => (await execa('buildah', args, { env })).stdout;
  const { failed: isNew } = await execa('buildah', ['inspect', '--type=image', debian], { env, reject: false });
  if (isNew) await makeDebian(suite, debian, buildah);

  const container = await buildah('from', '--pull-never', debian);
  const staging = mkdtempSync(path.join(os.tmpdir(), 'slipway-image-'));
  try {
    const local = path.join(staging, 'local');
    cpSync(standIn.node, path.join(local, 'bin', 'node'));
    cpSync(path.join(path.dirname(standIn.node), '..', 'LICENSE'), path.join(local, 'LICENSE'));
    cpSync(standIn.npm, path.join(local, 'lib', 'node_modules', 'npm'), { recursive: true });
    const { registry, cafile } = standIn;
    mkdirSync(path.join(local, 'etc'));
    if (cafile !== undefined) cpSync(cafile, path.join(local, 'etc', 'ca.pem'));
    const certificate = cafile === undefined ? '' : 'cafile=/usr/local/etc/ca.pem\n';
    writeFileSync(path.join(local, 'etc', 'npmrc'), `registry=${registry}\n${certificate}`);
    await buildah('copy', '--quiet', container, local, '/usr/local');
    const link = ['ln', '--symbolic', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm'];
    await buildah('run', '--isolation=chroot', container, '--', ...link);
    // Yarn and Bun do not read the settings of npm.
    if (cafile !== undefined) await buildah('config', '--env=NODE_EXTRA_CA_CERTS=/usr/local/etc/ca.pem', container);
    const name = `localhost/${image}`;
    await buildah('commit', '--quiet', container, name);
    return name;
  } finally {
    await buildah('rm', container);
    rmSync(staging, { recursive: true, force: true });
  }
}

async function makeDebian(suite: string, name: string, buildah: (...args: string[]) => Promise<string>): Promise<void> {
  const root = mkdtempSync(path.join(os.tmpdir(), 'slipway-debian-'));
  try {
    // The source of apt's packages on this machine.
    const { stdout } = await execa('apt-get', ['indextargets', '--format=$(REPO_URI)', 'Created-By: Packages']);
    const [mirror = ''] = stdout.split('\n');
    await execa('debootstrap', ['--variant=minbase', '--include=libatomic1', suite, root, mirror]);
    // The container runtime provides the devices.
    rmSync(path.join(root, 'dev'), { recursive: true });
    const container = await buildah('from', 'scratch');
    await buildah('copy', '--quiet', container, root, '/');
    await buildah('commit', '--quiet', container, name);
    await buildah('rm', container);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
