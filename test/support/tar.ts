/** A small tar writer for tests: makes archives byte by byte, honest or hostile. It never reads or checks anything. */

export interface TarEntry {
  readonly name: string | Buffer;
  /** The type flag: '0' file, '1' hard link, '2' symlink, '3' char, '4' block, '5' directory, '6' fifo, 'x' pax, 'L' long name. */
  readonly type?: string;
  readonly content?: string | Buffer;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Whole seconds. */
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  /** Records of a pax header that is written before the entry. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
  /** The size that the header claims instead of the content's. */
  readonly claim?: number;
  /** Changes the finished header block, before its check sum is made. */
  readonly patch?: (block: Buffer) => void;
}

const BLOCK = 512;

/** The whole archive; `end: false` leaves out the two zero blocks. */
export function tar(entries: readonly TarEntry[], options: { end?: boolean } = {}): Buffer {
  const parts = entries.map((entry) => tarEntry(entry));
  if (options.end !== false) parts.push(Buffer.alloc(BLOCK * 2));
  return Buffer.concat(parts);
}

/** One entry with its headers and padded content. */
export function tarEntry(entry: TarEntry): Buffer {
  const content = Buffer.isBuffer(entry.content) ? entry.content : Buffer.from(entry.content ?? '');
  const parts: Buffer[] = [];
  if (entry.pax !== undefined) {
    const body = Buffer.concat(
      Object.entries(entry.pax).map(([key, value]) => paxRecord(key, value)),
    );
    parts.push(tarEntry({ name: 'PaxHeaders.0/entry', type: 'x', content: body }));
  }
  parts.push(
    header(entry, content.length),
    content,
    Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK),
  );
  return Buffer.concat(parts);
}

/** `LEN KEY=VALUE\n`, where LEN counts itself. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length)
    length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header(entry: TarEntry, size: number): Buffer {
  const type = entry.type ?? '0';
  const block = Buffer.alloc(BLOCK);
  Buffer.from(entry.name).copy(block, 0, 0, 100);
  octal(block, entry.mode ?? (type === '5' ? 0o755 : 0o644), { at: 100, length: 8 });
  octal(block, entry.uid ?? 0, { at: 108, length: 8 });
  octal(block, entry.gid ?? 0, { at: 116, length: 8 });
  octal(block, entry.claim ?? size, { at: 124, length: 12 });
  octal(block, entry.mtime ?? 1_700_000_000, { at: 136, length: 12 });
  block.write(type, 156, 'latin1');
  block.write(entry.link ?? '', 157, 100, 'utf8');
  block.write('ustar\u000000', 257, 'latin1');
  octal(block, entry.major ?? 0, { at: 329, length: 8 });
  octal(block, entry.minor ?? 0, { at: 337, length: 8 });
  entry.patch?.(block);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  octal(block, sum, { at: 148, length: 7 });
  return block;
}

/** Octal digits; a number that does not fit is written in base 256. */
function octal(block: Buffer, value: number, field: { at: number; length: number }): void {
  const digits = value.toString(8).padStart(field.length - 1, '0');
  if (digits.length < field.length) {
    block.write(digits, field.at, 'latin1');
    block[field.at + digits.length] = 0;
    return;
  }
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(value));
  block.fill(0, field.at, field.at + field.length);
  number.copy(block, field.at + field.length - 8);
  block[field.at] = 0x80;
}
