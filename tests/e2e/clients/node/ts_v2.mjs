// @modelcontextprotocol/client: node ts_v2.mjs URL [--protocol …] [--client-id … [--client-secret …]] [--dpop] [--calls …]
import {
  Client, ClientCredentialsProvider, DpopSession, StreamableHTTPClientTransport, UnauthorizedError,
} from '@modelcontextprotocol/client';
import { Keeper, REDIRECT, options, play, run, say, url } from './common.mjs';
import { visit } from './person.mjs';

const provider = options['client-secret']
  ? new ClientCredentialsProvider({ clientId: options['client-id'], clientSecret: options['client-secret'] })
  : new Keeper();
if (options.dpop) {
  const session = DpopSession.create();
  provider.dpop = () => session;
}

run(async () => {
  const mode = options.protocol === '2026-07-28' ? { pin: options.protocol } : 'legacy';
  let client;
  let transport;
  const connect = async () => {
    client = new Client({ name: 'ts-v2', version: '1' }, { versionNegotiation: { mode } });
    transport = new StreamableHTTPClientTransport(url, { authProvider: provider });
    await client.connect(transport);
  };
  /** Does it, and again if somebody has to sign in first. */
  const attempt = async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || !provider.toVisit) throw error;
      const back = await visit(provider.toVisit, REDIRECT);
      provider.toVisit = undefined;
      await transport.finishAuth(back.searchParams);
      return work();
    }
  };
  await attempt(connect);
  say('connected', { protocol: client.getNegotiatedProtocolVersion() });
  await play(client, attempt);
  await transport.terminateSession?.();
  await client.close();
});
