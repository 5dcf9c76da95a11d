/** One request with a body to an engine's socket, without a client that would know better. It throws where the engine hangs up. */
import { request } from 'node:http';

export interface Posted {
  readonly path: string;
  readonly body: Buffer;
  /** Of the body; none where it is left out. */
  readonly type?: string;
}

/** The answer's status and body, whatever they are. */
export function post(
  address: string,
  { path, body, type }: Posted,
): Promise<{ status: number; text: string }> {
  const headers = type === undefined ? {} : { 'content-type': type };
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: address.slice('unix://'.length), path, method: 'POST', headers },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, text });
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}
