/**
 * As much of a VS Code window as shows that a server serves it: the WebSocket upgrade without frames, the persistent protocol
 * (13 bytes of header: type u8, id u32, ack u32, length u32), the handshake, and calls of the management connection's channels
 * (microsoft/vscode src/vs/base/parts/ipc/common). It keeps nothing for a replay: what it sends is acknowledged by being answered.
 */
import { randomBytes } from 'node:crypto';
import type { MessagePassing } from '../../src/extension/resolver/api.ts';

const REGULAR = 1;
const CONTROL = 2;
const ACK = 3;
const HEADER = 13;
const PROMISE = 100;
const INITIALIZED = 200;
const SUCCESS = 201;
const WAIT_MS = 20_000;

export interface Hello {
  readonly token: string;
  readonly commit: string;
  /** Of an earlier connection that is taken up again. */
  readonly session?: Session;
}

/** What a server knows a window by. */
export interface Session {
  readonly reconnectionToken: string;
  received: number;
  sent: number;
}

export interface Management {
  readonly session: Session;
  /** One call of a channel; the answer as the server serialized it. */
  call(channel: string, name: string, argument: unknown): Promise<unknown>;
  end(): void;
}

/** Throws an Error with the server's reason when it refuses. */
export async function connectManagement(
  passing: MessagePassing,
  { token, commit, session: earlier }: Hello,
): Promise<Management> {
  const session = earlier ?? {
    reconnectionToken: randomBytes(16).toString('hex'),
    received: 0,
    sent: 0,
  };
  const wire = new Wire(passing, session);
  await wire.upgrade(earlier !== undefined);
  wire.send(CONTROL, json({ type: 'auth', auth: token, data: 'nothing' }));
  const sign = await wire.control();
  if (sign['type'] !== 'sign') throw new Error(String(sign['reason']));
  const signedData = String(sign['data']);
  wire.send(
    CONTROL,
    json({ type: 'connectionType', commit, signedData, desiredConnectionType: 1 }),
  );
  const answer = await wire.control();
  if (answer['type'] !== 'ok') throw new Error(String(answer['reason']));
  if (earlier === undefined) {
    wire.send(REGULAR, serialized('window'));
    await wire.message((header) => header[0] === INITIALIZED);
  }
  let calls = session.sent;
  return {
    session,
    call: async (channel, name, argument) => {
      const id = (calls += 1);
      wire.send(
        REGULAR,
        Buffer.concat([serialized([PROMISE, id, channel, name]), serialized(argument)]),
      );
      const { header, body } = await wire.message((values) => values[1] === id);
      if (header[0] !== SUCCESS) throw new Error(JSON.stringify(body));
      return body;
    },
    end: () => passing.end(),
  };
}

class Wire {
  private readonly passing: MessagePassing;
  private readonly session: Session;
  private rest: Buffer = Buffer.alloc(0);
  private readonly controls: Record<string, unknown>[] = [];
  private readonly messages: { header: unknown[]; body: unknown }[] = [];
  private wake: () => void = () => undefined;
  private upgraded = false;
  private over = false;

  constructor(passing: MessagePassing, session: Session) {
    this.passing = passing;
    this.session = session;
    const end = (): void => {
      this.over = true;
      this.wake();
    };
    passing.onDidEnd(end);
    passing.onDidClose(end);
    passing.onDidReceiveMessage((data) => {
      this.rest = Buffer.concat([this.rest, data]);
      if (this.upgraded) this.read();
      this.wake();
    });
  }

  async upgrade(reconnection: boolean): Promise<void> {
    const query = `reconnectionToken=${this.session.reconnectionToken}&reconnection=${String(reconnection)}&skipWebSocketFrames=true`;
    const lines = [
      `GET ws://localhost/?${query} HTTP/1.1`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ];
    this.passing.send(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
    await this.until('an answer to the upgrade', () => this.rest.includes('\r\n\r\n'));
    const end = this.rest.indexOf('\r\n\r\n');
    const head = this.rest.subarray(0, end).toString();
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`no upgrade: ${head}`);
    this.rest = this.rest.subarray(end + 4);
    this.upgraded = true;
    this.read();
  }

  send(type: number, data: Buffer): void {
    const header = Buffer.alloc(HEADER);
    header.writeUInt8(type, 0);
    if (type === REGULAR) header.writeUInt32BE((this.session.sent += 1), 1);
    header.writeUInt32BE(this.session.received, 5);
    header.writeUInt32BE(data.length, 9);
    this.passing.send(Buffer.concat([header, data]));
  }

  async control(): Promise<Record<string, unknown>> {
    await this.until('a control message', () => this.controls.length > 0);
    return this.controls.shift() ?? {};
  }

  async message(
    accepts: (header: unknown[]) => boolean,
  ): Promise<{ header: unknown[]; body: unknown }> {
    const find = (): number => this.messages.findIndex(({ header }) => accepts(header));
    await this.until('a message', () => find() !== -1);
    const [found] = this.messages.splice(find(), 1);
    if (found === undefined) throw new Error('a message has gone');
    return found;
  }

  private read(): void {
    while (this.rest.length >= HEADER) {
      const length = this.rest.readUInt32BE(9);
      if (this.rest.length < HEADER + length) return;
      const type = this.rest.readUInt8(0);
      const id = this.rest.readUInt32BE(1);
      const data = this.rest.subarray(HEADER, HEADER + length);
      this.rest = this.rest.subarray(HEADER + length);
      if (type === CONTROL)
        this.controls.push(JSON.parse(data.toString()) as Record<string, unknown>);
      if (type !== REGULAR || id <= this.session.received) continue;
      this.session.received = id;
      this.send(ACK, Buffer.alloc(0));
      const reader = { data, at: 0 };
      this.messages.push({ header: read(reader) as unknown[], body: read(reader) });
    }
  }

  private async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = Date.now() + WAIT_MS;
    while (!holds()) {
      if (this.over) throw new Error(`the connection ended before ${what}`);
      if (Date.now() > deadline) throw new Error(`${what} did not come`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** The channels' serialization: a type byte, a length in sevens of bits, the value. */
function serialized(value: unknown): Buffer {
  if (value === undefined) return Buffer.from([0]);
  if (typeof value === 'string') return tagged(1, Buffer.from(value));
  if (Array.isArray(value))
    return Buffer.concat([Buffer.from([4]), sevens(value.length), ...value.map(serialized)]);
  if (typeof value === 'number') return Buffer.concat([Buffer.from([6]), sevens(value)]);
  return tagged(5, json(value));
}

function tagged(type: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), sevens(data.length), data]);
}

function sevens(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}

interface Reader {
  readonly data: Buffer;
  at: number;
}

function read(reader: Reader): unknown {
  if (reader.at >= reader.data.length) return undefined;
  const type = reader.data.readUInt8(reader.at++);
  if (type === 0) return undefined;
  const size = readSevens(reader);
  if (type === 6) return size;
  if (type === 4) return Array.from({ length: size }, () => read(reader));
  const bytes = reader.data.subarray(reader.at, (reader.at += size));
  if (type === 5) return JSON.parse(bytes.toString());
  return type === 1 ? bytes.toString() : bytes;
}

function readSevens(reader: Reader): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = reader.data.readUInt8(reader.at++);
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) return value;
  }
}
