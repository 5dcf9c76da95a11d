/**
 * SFTP, version 3 (draft-ietf-secsh-filexfer-02, what OpenSSH speaks), on two streams, with the rights of the user that
 * runs it. Runs inside the container, so that no path can lead out of it.
 */
import type { Dirent, Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { constants } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { once } from 'node:events';
import { PacketReader, PacketWriter } from './packet.ts';

const T = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
} as const;

const OK = 0;
const EOF = 1;
const NO_SUCH_FILE = 2;
const DENIED = 3;
const FAILURE = 4;
const UNSUPPORTED = 8;

const PACKET_LIMIT = 1024 * 1024;
const READ_LIMIT = 256 * 1024;
const NAMES_AT_ONCE = 100;

interface OpenFolder {
  readonly path: string;
  readonly rest: Dirent[];
}

/** Serves until the input ends. */
export async function serveSftp(input: Readable, output: Writable): Promise<void> {
  const session = new Session();
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of input as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0);
      if (length > PACKET_LIMIT) throw new Error(`a packet of ${length} bytes is too long`);
      if (rest.length < 4 + length) break;
      const packet = rest.subarray(4, 4 + length);
      rest = rest.subarray(4 + length);
      const answer = await session.answer(packet);
      if (!output.write(answer)) await once(output, 'drain');
    }
  }
  await session.close();
}

class Session {
  private readonly files = new Map<string, fs.FileHandle>();
  private readonly folders = new Map<string, OpenFolder>();
  private next = 1;

  async answer(packet: Buffer): Promise<Buffer> {
    const reader = new PacketReader(packet);
    const type = reader.byte();
    if (type === T.init) {
      return new PacketWriter(T.version)
        .u32(3)
        .text('posix-rename@openssh.com')
        .text('1')
        .text('hardlink@openssh.com')
        .text('1')
        .text('fsync@openssh.com')
        .text('1')
        .end();
    }
    const id = reader.u32();
    try {
      return await this.perform(type, id, reader);
    } catch (error) {
      return failed(id, error);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.files.values()].map((file) => file.close()));
  }

  private perform(type: number, id: number, reader: PacketReader): Promise<Buffer> {
    switch (type) {
      case T.open:
        return this.open(id, reader);
      case T.close:
        return this.closeHandle(id, reader.text());
      case T.read:
        return this.read(id, reader);
      case T.write:
        return this.write(id, reader);
      case T.opendir:
        return this.openFolder(id, reader.text());
      case T.readdir:
        return this.readFolder(id, reader.text());
      case T.fstat:
        return this.fileOf(reader.text())
          .stat()
          .then((stats) => attributes(id, stats));
      case T.fsetstat:
        return this.setFile(id, reader);
      default:
        return performPath(type, id, reader, (handle) => this.fileOf(handle));
    }
  }

  private fileOf(handle: string): fs.FileHandle {
    const file = this.files.get(handle);
    if (file === undefined) throw new Error('no such handle');
    return file;
  }

  private async open(id: number, reader: PacketReader): Promise<Buffer> {
    const path = reader.text();
    const flags = reader.u32();
    const { mode } = reader.attributes();
    const file = await fs.open(path, openFlags(flags), (mode ?? 0o666) & 0o7777);
    const handle = String(this.next++);
    this.files.set(handle, file);
    return new PacketWriter(T.handle).u32(id).text(handle).end();
  }

  private async closeHandle(id: number, handle: string): Promise<Buffer> {
    if (!this.folders.delete(handle)) {
      const file = this.fileOf(handle);
      this.files.delete(handle);
      await file.close();
    }
    return status(id, OK);
  }

  private async read(id: number, reader: PacketReader): Promise<Buffer> {
    const file = this.fileOf(reader.text());
    const position = reader.u64();
    const buffer = Buffer.allocUnsafe(Math.min(reader.u32(), READ_LIMIT));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, Number(position));
    if (bytesRead === 0) return status(id, EOF);
    return new PacketWriter(T.data).u32(id).bytes(buffer.subarray(0, bytesRead)).end();
  }

  private async write(id: number, reader: PacketReader): Promise<Buffer> {
    const file = this.fileOf(reader.text());
    let position = Number(reader.u64());
    let data = reader.bytes();
    while (data.length > 0) {
      const { bytesWritten } = await file.write(data, 0, data.length, position);
      data = data.subarray(bytesWritten);
      position += bytesWritten;
    }
    return status(id, OK);
  }

  private async setFile(id: number, reader: PacketReader): Promise<Buffer> {
    const file = this.fileOf(reader.text());
    const { size, owner, mode, times } = reader.attributes();
    if (size !== undefined) await file.truncate(Number(size));
    if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    if (mode !== undefined) await file.chmod(mode & 0o7777);
    if (times !== undefined) await file.utimes(times.read, times.written);
    return status(id, OK);
  }

  private async openFolder(id: number, path: string): Promise<Buffer> {
    const rest = await fs.readdir(path, { withFileTypes: true });
    const handle = String(this.next++);
    this.folders.set(handle, { path, rest });
    return new PacketWriter(T.handle).u32(id).text(handle).end();
  }

  private async readFolder(id: number, handle: string): Promise<Buffer> {
    const folder = this.folders.get(handle);
    if (folder === undefined) throw new Error('no such handle');
    const entries = folder.rest.splice(0, NAMES_AT_ONCE);
    if (entries.length === 0) return status(id, EOF);
    const facts = await Promise.all(
      entries.map(({ name }) => fs.lstat(join(folder.path, name)).catch(() => undefined)),
    );
    const writer = new PacketWriter(T.name).u32(id).u32(entries.length);
    for (const [index, { name }] of entries.entries()) {
      const stats = facts[index];
      writer
        .text(name)
        .text(stats === undefined ? name : longName(name, stats))
        .attributes(stats);
    }
    return writer.end();
  }
}

/** What is about paths alone. */
async function performPath(
  type: number,
  id: number,
  reader: PacketReader,
  fileOf: (handle: string) => fs.FileHandle,
): Promise<Buffer> {
  switch (type) {
    case T.lstat:
      return attributes(id, await fs.lstat(reader.text()));
    case T.stat:
      return attributes(id, await fs.stat(reader.text()));
    case T.setstat:
      await setPath(reader);
      return status(id, OK);
    case T.remove:
      await fs.unlink(reader.text());
      return status(id, OK);
    case T.mkdir:
      await fs.mkdir(reader.text(), (reader.attributes().mode ?? 0o777) & 0o7777);
      return status(id, OK);
    case T.rmdir:
      await fs.rmdir(reader.text());
      return status(id, OK);
    case T.realpath:
      return oneName(id, await realPath(reader.text()));
    case T.rename:
      await renameApart(reader.text(), reader.text());
      return status(id, OK);
    case T.readlink:
      return oneName(id, await fs.readlink(reader.text()));
    case T.symlink:
      // OpenSSH has the two in the other order than the draft, and so has everybody since.
      await fs.symlink(reader.text(), reader.text());
      return status(id, OK);
    case T.extended:
      return extended(id, reader, fileOf);
    default:
      return status(id, UNSUPPORTED, 'not supported');
  }
}

async function extended(
  id: number,
  reader: PacketReader,
  fileOf: (handle: string) => fs.FileHandle,
): Promise<Buffer> {
  const name = reader.text();
  if (name === 'posix-rename@openssh.com') await fs.rename(reader.text(), reader.text());
  else if (name === 'hardlink@openssh.com') await fs.link(reader.text(), reader.text());
  else if (name === 'fsync@openssh.com') await fileOf(reader.text()).sync();
  else return status(id, UNSUPPORTED, `${name} is not supported`);
  return status(id, OK);
}

/** Version 3 never replaces a file by renaming another to its name. */
async function renameApart(from: string, to: string): Promise<void> {
  const there = await fs.lstat(to).catch(() => undefined);
  if (there !== undefined) throw Object.assign(new Error(`${to} exists`), { code: 'EEXIST' });
  await fs.rename(from, to);
}

async function setPath(reader: PacketReader): Promise<void> {
  const path = reader.text();
  const { size, owner, mode, times } = reader.attributes();
  if (size !== undefined) await fs.truncate(path, Number(size));
  if (owner !== undefined) await fs.chown(path, owner.uid, owner.gid);
  if (mode !== undefined) await fs.chmod(path, mode & 0o7777);
  if (times !== undefined) await fs.utimes(path, times.read, times.written);
}

async function realPath(path: string): Promise<string> {
  const absolute = resolve(path);
  return fs.realpath(absolute).catch(() => absolute);
}

function openFlags(flags: number): number {
  const read = (flags & 1) !== 0;
  const write = (flags & 2) !== 0;
  let result: number =
    read && write ? constants.O_RDWR : write ? constants.O_WRONLY : constants.O_RDONLY;
  // Appending is left to the offsets that clients send: O_APPEND would ignore them.
  if ((flags & 8) !== 0) result |= constants.O_CREAT;
  if ((flags & 16) !== 0) result |= constants.O_TRUNC;
  if ((flags & 32) !== 0) result |= constants.O_EXCL;
  return result;
}

function status(id: number, code: number, message = ''): Buffer {
  return new PacketWriter(T.status).u32(id).u32(code).text(message).text('').end();
}

function failed(id: number, error: unknown): Buffer {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return status(id, NO_SUCH_FILE, 'No such file');
  if (code === 'EACCES' || code === 'EPERM') return status(id, DENIED, 'Permission denied');
  return status(id, FAILURE, message);
}

function attributes(id: number, stats: Stats): Buffer {
  return new PacketWriter(T.attrs).u32(id).attributes(stats).end();
}

function oneName(id: number, path: string): Buffer {
  return new PacketWriter(T.name).u32(id).u32(1).text(path).text(path).attributes(undefined).end();
}

/** As `ls -l`: clients show it as it is. */
function longName(name: string, stats: Stats): string {
  const kind = stats.isDirectory() ? 'd' : stats.isSymbolicLink() ? 'l' : '-';
  const bits = Array.from('rwxrwxrwx').map((bit, at) =>
    (stats.mode & (0o400 >> at)) !== 0 ? bit : '-',
  );
  const when = stats.mtime.toISOString().slice(0, 10);
  return `${kind}${bits.join('')} ${stats.nlink} ${stats.uid} ${stats.gid} ${stats.size} ${when} ${name}`;
}
