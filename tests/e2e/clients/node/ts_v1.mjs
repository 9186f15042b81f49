// @modelcontextprotocol/sdk: node ts_v1.mjs URL [--client-id … [--client-secret … --scope …]] [--calls …]
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Keeper, REDIRECT, options, play, run, say, url } from './common.mjs';
import { visit } from './person.mjs';

// For itself it asks for the scopes that its constructor was told, whatever a challenge says.
const provider = options['client-secret']
  ? new ClientCredentialsProvider({
    clientId: options['client-id'], clientSecret: options['client-secret'], scope: options.scope,
  })
  : new Keeper();

run(async () => {
  let client;
  let transport;
  const connect = async () => {
    client = new Client({ name: 'ts-v1', version: '1' });
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
      await transport.finishAuth(back.searchParams.get('code'));
      return work();
    }
  };
  await attempt(connect);
  say('connected', { protocol: transport.protocolVersion });
  await play(client, attempt);
  await transport.terminateSession();
  await client.close();
});
