/**
 * Lets a client's message through to its handler only when it is one, its parameters have their shape, and it comes in its
 * turn: nothing before `initialize`, which comes once, and nothing but `exit` after `shutdown`. It answers nothing itself:
 * a request that is refused is handed on as one of `REFUSED`, whose handler says why.
 */
import {
  type Connection,
  ErrorCodes,
  type MessageStrategy,
  ResponseError,
} from 'vscode-languageserver/node';
import { isRecord } from '../src/lib/record.ts';
import { wrongIn } from './shapes.ts';

type Message = Parameters<MessageStrategy['handleMessage']>[0];

const REFUSED = 'pinnace/refused';

interface Refusal {
  readonly code: number;
  readonly message: string;
}

/** One for each connection. */
export class Gate implements MessageStrategy {
  private phase: 'new' | 'running' | 'down' = 'new';

  /** `shutdown` was answered. */
  get isDown(): boolean {
    return this.phase === 'down';
  }

  handleMessage(
    message: Message,
    next: (message: Message) => void | Promise<void>,
  ): void | Promise<void> {
    const raw: unknown = message;
    if (!isRecord(raw)) return undefined;
    const { method, id, params } = raw as { readonly [name: string]: unknown };
    const isRequest = typeof id === 'string' || typeof id === 'number';
    const isAnswer = 'result' in raw || 'error' in raw;
    if (typeof method !== 'string' && isAnswer) return next(message);
    const refusal = this.refusal(method, params, isRequest);
    if (refusal === undefined) return next(message);
    if (!isRequest) return undefined;
    const refused = { jsonrpc: '2.0', id, method: REFUSED, params: refusal };
    return next(refused);
  }

  private refusal(method: unknown, params: unknown, isRequest: boolean): Refusal | undefined {
    if (typeof method !== 'string')
      return { code: ErrorCodes.InvalidRequest, message: 'the request has no method' };
    if (method === 'exit') return undefined;
    const early = this.outOfTurn(method);
    if (early !== undefined) return early;
    const wrong = wrongIn(method, params);
    if (wrong !== undefined) return { code: ErrorCodes.InvalidParams, message: wrong };
    if (method === 'initialize' && isRequest) this.phase = 'running';
    if (method === 'shutdown' && isRequest) this.phase = 'down';
    return undefined;
  }

  private outOfTurn(method: string): Refusal | undefined {
    if (this.phase === 'down')
      return { code: ErrorCodes.InvalidRequest, message: 'the server was shut down' };
    const begins = method === 'initialize';
    if (this.phase === 'new' && !begins && !method.startsWith('$/'))
      return {
        code: ErrorCodes.ServerNotInitialized,
        message: `initialize comes before ${method}`,
      };
    return this.phase === 'running' && begins
      ? { code: ErrorCodes.InvalidRequest, message: 'initialize comes once' }
      : undefined;
  }
}

/** To be called once for a connection with a gate. */
export function answerRefused(connection: Connection): void {
  connection.onRequest(REFUSED, (params: unknown) => {
    const { code, message } = isRecord(params) ? params : {};
    return new ResponseError(
      typeof code === 'number' ? code : ErrorCodes.InvalidRequest,
      typeof message === 'string' ? message : 'the request is not understood',
    );
  });
}
