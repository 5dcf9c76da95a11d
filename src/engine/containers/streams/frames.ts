/** Docker's frames for the two output streams of a container without a terminal: a byte for the stream, three zero bytes, the length. Pure. */

export type StreamName = 'stdout' | 'stderr';

const HEADER = 8;

/** One frame. */
export function frame(stream: StreamName, data: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(HEADER + data.length);
  framed.writeUInt32BE(stream === 'stdout' ? 0x01000000 : 0x02000000, 0);
  framed.writeUInt32BE(data.length, 4);
  data.copy(framed, HEADER);
  return framed;
}
