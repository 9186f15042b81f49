// What the clients of both SDKs have in common: how they are told what to do, and how they say what they did.
// See tests/e2e/src/client.rs.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

export const REDIRECT = 'http://127.0.0.1:3999/callback';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    protocol: { type: 'string', default: '2025-11-25' },
    // Known before: without a secret for people (code flow), with one for itself (client credentials).
    'client-id': { type: 'string' },
    'client-secret': { type: 'string' },
    // For who does not take them from challenges.
    scope: { type: 'string' },
    dpop: { type: 'boolean', default: false },
    // Tools to call, in order; `wait` waits for a line.
    calls: { type: 'string', default: 'whoami,delete_everything' },
  },
});
export const options = values;
export const [url] = positionals.map((text) => new URL(text));

export const say = (step, more = {}) => process.stdout.write(`${JSON.stringify({ step, ...more })}\n`);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const go = async () => { say('waiting'); await lines.next(); };

/** What an application keeps for the SDK; it signs in as the SDK tells it to. */
export class Keeper {
  get redirectUrl() { return REDIRECT; }

  get clientMetadata() {
    return {
      client_name: 'palisade-e2e',
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  clientInformation() { return this.client ?? (options['client-id'] ? { client_id: options['client-id'] } : undefined); }

  saveClientInformation(client) { this.client = client; }

  tokens() { return this.kept; }

  saveTokens(tokens) { this.kept = tokens; }

  redirectToAuthorization(where) { this.toVisit = where; }

  saveCodeVerifier(verifier) { this.verifier = verifier; }

  codeVerifier() { return this.verifier; }
}

/** Calls the tools, each again after `signIn` if it takes a person. */
export async function play(client, attempt) {
  const { tools } = await attempt(() => client.listTools());
  say('listed', { tools: tools.map((tool) => tool.name).sort() });
  for (const tool of options.calls.split(',')) {
    if (tool === 'wait') {
      await go();
      continue;
    }
    try {
      const { content } = await attempt(() => client.callTool({ name: tool, arguments: {} }));
      say('called', { tool, text: content[0].text });
    } catch (error) {
      say('refused', { tool, error: `${error.name}: ${error.message}` });
    }
  }
}

export function run(main) {
  main().then(() => { say('done'); process.exit(0); }, (error) => {
    console.error(error);
    say('failed', { error: String(error) });
    process.exit(1);
  });
}
