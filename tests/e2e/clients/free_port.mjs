// A loopback port for a program that cannot choose one and say which. It is below the range from which systems choose
// (from 32768 on Linux, from 49152 elsewhere), so that nobody gets it between here and there but by the same draw.
import { once } from 'node:events';
import { createServer } from 'node:net';

export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue; // Somebody else has it.
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
