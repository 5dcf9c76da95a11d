/**
 * Many connections on one stream: frames of channel u32, length u32 and data; a length of 0 ends one direction of a channel, channel 0
 * carries a greeting and what is opened. The side inside the container (inside.ts) opens the channels.
 */
import type { Duplex } from 'node:stream';

const HEADER = 8;
const FRAME_LIMIT = 1024 * 1024;

export interface FrameEnds {
  /** What the other side says first: where it listens. */
  readonly greet?: (text: string) => void;
  /** Gives the stream for a new channel, or undefined when there is none. */
  readonly open: (join: (end: Duplex | undefined) => void) => void;
}

interface Channel {
  end: Duplex | undefined;
  /** Whether the other side was told of our end. */
  ended: boolean;
  /** Came before the end was there. */
  readonly waiting: (Buffer | 'end')[];
}

export class Frames {
  private readonly stream: Duplex;
  private readonly ends: FrameEnds;
  private readonly channels = new Map<number, Channel>();
  private rest: Buffer = Buffer.alloc(0);

  constructor(stream: Duplex, ends: FrameEnds) {
    this.stream = stream;
    this.ends = ends;
    stream.on('data', (chunk: Buffer) => this.read(chunk));
    stream.on('error', () => this.close());
    stream.on('close', () => this.close());
  }

  close(): void {
    for (const { end } of this.channels.values()) end?.destroy();
    this.channels.clear();
  }

  private read(chunk: Buffer): void {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= HEADER) {
      const id = this.rest.readUInt32BE(0);
      const length = this.rest.readUInt32BE(4);
      if (length > FRAME_LIMIT) {
        this.stream.destroy(new Error(`a frame of ${length} bytes is none of ours`));
        return;
      }
      if (this.rest.length < HEADER + length) return;
      const data = this.rest.subarray(HEADER, HEADER + length);
      this.rest = this.rest.subarray(HEADER + length);
      if (id === 0) this.told(data.toString());
      else this.deliver(id, length === 0 ? 'end' : data);
    }
  }

  /** `open N`: somebody has connected, who may wait for us to speak first. Anything else is the greeting. */
  private told(text: string): void {
    const opened = /^open (\d+)$/.exec(text)?.[1];
    if (opened === undefined) this.ends.greet?.(text);
    else if (!this.channels.has(Number(opened))) this.openChannel(Number(opened));
  }

  private deliver(id: number, data: Buffer | 'end'): void {
    const known = this.channels.get(id);
    // The end of what has ended here already.
    if (known === undefined && data === 'end') return;
    const channel = known ?? this.openChannel(id);
    if (channel.end === undefined) channel.waiting.push(data);
    else if (data === 'end') channel.end.end();
    else channel.end.write(data);
  }

  private openChannel(id: number): Channel {
    const channel: Channel = { end: undefined, ended: false, waiting: [] };
    this.channels.set(id, channel);
    this.ends.open((end) => {
      if (end === undefined) {
        this.finish(id);
        return;
      }
      channel.end = end;
      end.on('data', (data: Buffer) => this.send(id, data));
      // Each direction ends by itself, as the connections do that this stands for.
      end.on('end', () => this.endOurs(id));
      end.on('error', () => end.destroy());
      end.on('close', () => this.finish(id));
      for (const data of channel.waiting) this.deliver(id, data);
      channel.waiting.length = 0;
    });
    return channel;
  }

  private endOurs(id: number): void {
    const channel = this.channels.get(id);
    if (channel === undefined || channel.ended) return;
    channel.ended = true;
    this.send(id, Buffer.alloc(0));
  }

  private finish(id: number): void {
    this.endOurs(id);
    this.channels.delete(id);
  }

  private send(id: number, data: Buffer): void {
    const header = Buffer.alloc(HEADER);
    header.writeUInt32BE(id, 0);
    header.writeUInt32BE(data.length, 4);
    if (this.stream.writable) this.stream.write(Buffer.concat([header, data]));
  }
}
