/** `dial-stdio`: joins standard input and output with the engine's socket, so that ssh carries the Engine API. It reads nothing of it. */

import { connect } from 'node:net';
import { once } from 'node:events';
import { EngineError } from '../../lib/errors.ts';
import type { Register } from '../context.ts';

export const dialStdio: Register = (program, context) => {
  program
    .command('dial-stdio')
    .description("join standard input and output with the engine's socket (for ssh)")
    .action(async () => {
      const { address } = (await context.engine()).transport;
      if (!('socketPath' in address))
        throw new EngineError('invalid', 'dial-stdio needs an engine on a unix socket');
      const socket = connect({ path: address.socketPath, allowHalfOpen: true });
      await once(socket, 'connect');
      // Either side may end first; the connection is over when the engine's side is.
      context.stdin.pipe(socket);
      socket.pipe(context.stdout);
      // A half-open socket is not closed while our input lasts, and whoever holds that waits for our end.
      await Promise.race([once(socket, 'end'), once(socket, 'close')]);
      context.stdin.unpipe(socket);
      context.stdin.destroy();
      socket.destroy();
    });
};
