/** The fields of SFTP packets: reading with bounds, writing with the length in front. Pure but for Buffer. */

export interface Attributes {
  readonly size?: bigint;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly mode?: number;
  /** Seconds since the epoch. */
  readonly times?: { readonly read: number; readonly written: number };
}

const HAS_SIZE = 1;
const HAS_OWNER = 2;
const HAS_MODE = 4;
const HAS_TIMES = 8;

/** Throws RangeError where a packet ends too early. */
export class PacketReader {
  private readonly packet: Buffer;
  private at = 0;

  constructor(packet: Buffer) {
    this.packet = packet;
  }

  byte(): number {
    return this.packet.readUInt8(this.at++);
  }

  u32(): number {
    this.at += 4;
    return this.packet.readUInt32BE(this.at - 4);
  }

  u64(): bigint {
    this.at += 8;
    return this.packet.readBigUInt64BE(this.at - 8);
  }

  bytes(): Buffer {
    const length = this.u32();
    if (this.at + length > this.packet.length) throw new RangeError('the packet ends too early');
    this.at += length;
    return this.packet.subarray(this.at - length, this.at);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  attributes(): Attributes {
    if (this.at >= this.packet.length) return {};
    const flags = this.u32();
    return {
      ...((flags & HAS_SIZE) === 0 ? {} : { size: this.u64() }),
      ...((flags & HAS_OWNER) === 0 ? {} : { owner: { uid: this.u32(), gid: this.u32() } }),
      ...((flags & HAS_MODE) === 0 ? {} : { mode: this.u32() }),
      ...((flags & HAS_TIMES) === 0 ? {} : { times: { read: this.u32(), written: this.u32() } }),
    };
  }
}

export interface FileFacts {
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
}

export class PacketWriter {
  private readonly parts: Buffer[] = [];

  constructor(type: number) {
    this.parts.push(Buffer.from([type]));
  }

  u32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32BE(value >>> 0);
    this.parts.push(part);
    return this;
  }

  u64(value: number): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64BE(BigInt(Math.max(0, Math.trunc(value))));
    this.parts.push(part);
    return this;
  }

  bytes(value: Buffer): this {
    this.u32(value.length);
    this.parts.push(value);
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'));
  }

  attributes(facts: FileFacts | undefined): this {
    if (facts === undefined) return this.u32(0);
    this.u32(HAS_SIZE | HAS_OWNER | HAS_MODE | HAS_TIMES).u64(facts.size);
    this.u32(facts.uid).u32(facts.gid).u32(facts.mode);
    return this.u32(Math.trunc(facts.atimeMs / 1000)).u32(Math.trunc(facts.mtimeMs / 1000));
  }

  end(): Buffer {
    const body = Buffer.concat(this.parts);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, body]);
  }
}
