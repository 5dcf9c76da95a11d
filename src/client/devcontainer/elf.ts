/**
 * Makes a program find its loader and libraries in a folder of ours, in containers that have none or others. The name of
 * the loader is replaced, and the debugger's entry of the dynamic section (DT_DEBUG, which nothing but a debugger reads)
 * becomes DT_RPATH, whose text lies behind the shorter name of the loader: nothing grows and nothing moves (elf(5), ld.so(8)).
 */
import { EngineError } from '../../lib/errors.ts';

const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_STRTAB = 5n;
const DT_RPATH = 15n;
const DT_DEBUG = 21n;

interface Segment {
  readonly header: number;
  readonly offset: number;
  readonly address: bigint;
  readonly size: number;
}

/** The loader that a program names; undefined for a static one. Throws `invalid` for what is no 64-bit little-endian ELF. */
export function interpreterOf(program: Buffer): string | undefined {
  const { interpreter } = segmentsOf(program);
  if (interpreter === undefined) return undefined;
  const { offset, size } = interpreter;
  return program.toString('latin1', offset, offset + size).replace(/\0.*$/s, '');
}

/** Changes `program` in place. Throws `invalid` when it has no room or no such entries. */
export function relocate(
  program: Buffer,
  place: { readonly loader: string; readonly libraries: string },
): void {
  const { interpreter, dynamic } = segmentsOf(program);
  if (interpreter === undefined || dynamic === undefined)
    throw new EngineError('invalid', 'the program is linked statically: it needs no loader');
  const loader = `${place.loader}\0`;
  const text = `${loader}${place.libraries}\0`;
  if (text.length > interpreter.size)
    throw new EngineError('invalid', `the program has no room for ${place.loader}`);
  const entries = Array.from(
    { length: Math.floor(dynamic.size / 16) },
    (_, index) => dynamic.offset + index * 16,
  );
  const at = (tag: bigint): number | undefined =>
    entries.find((entry) => program.readBigUInt64LE(entry) === tag);
  const strings = at(DT_STRTAB);
  const debug = at(DT_DEBUG);
  if (strings === undefined || debug === undefined)
    throw new EngineError('invalid', 'the program has no entry that could name its libraries');
  program.fill(0, interpreter.offset, interpreter.offset + interpreter.size);
  program.write(text, interpreter.offset, 'latin1');
  program.writeBigUInt64LE(BigInt(loader.length), interpreter.header + 32);
  program.writeBigUInt64LE(BigInt(loader.length), interpreter.header + 40);
  const name = interpreter.address + BigInt(loader.length);
  program.writeBigUInt64LE(DT_RPATH, debug);
  program.writeBigUInt64LE(
    BigInt.asUintN(64, name - program.readBigUInt64LE(strings + 8)),
    debug + 8,
  );
}

function segmentsOf(program: Buffer): { interpreter?: Segment; dynamic?: Segment } {
  if (
    program.length < 64 ||
    program.readUInt32BE(0) !== 0x7f454c46 ||
    program[4] !== 2 ||
    program[5] !== 1
  )
    throw new EngineError('invalid', 'not a 64-bit little-endian ELF program');
  const table = Number(program.readBigUInt64LE(32));
  const size = program.readUInt16LE(54);
  const found: { interpreter?: Segment; dynamic?: Segment } = {};
  for (let index = 0; index < program.readUInt16LE(56); index++) {
    const header = table + index * size;
    if (header + 56 > program.length) break;
    const kind = program.readUInt32LE(header);
    const segment: Segment = {
      header,
      offset: Number(program.readBigUInt64LE(header + 8)),
      address: program.readBigUInt64LE(header + 16),
      size: Number(program.readBigUInt64LE(header + 32)),
    };
    if (segment.offset + segment.size > program.length) continue;
    if (kind === PT_INTERP) found.interpreter = segment;
    if (kind === PT_DYNAMIC) found.dynamic = segment;
  }
  return found;
}
