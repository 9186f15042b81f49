// A certified authorization server (npm `oidc-provider`) for the integration tests.
//
// It listens on a loopback port that the system chooses and is steered through its own standard input: one JSON
// object a line, answered by one JSON object a line. The first line that it writes is `{"issuer": …, "address": …}`.
// It ends when its input ends, so a test that is killed leaves nothing behind. Behind a proxy that keeps `Host` as it
// came, `--issuer URL` says how it is called there.
//
//   {"do":"serve","resources":["http://127.0.0.1:1/mcp"],"scopes":["use"]}   for whom it issues tokens, and for what
//   {"do":"ask-people","form":true}      whoever signs in sees a form; else all are let in
//   {"do":"demand-nonces","demand":true} proofs for the token endpoint need a nonce (RFC 9449 §8)
//   {"do":"issue","format":"jwt","alg":"ES256","seconds":600}   how access tokens are made from now on
//   {"do":"add-key","alg":"ES256"}       a new key, which signs from now on; the older stay published. Answers `kid`
//   {"do":"withdraw-key","kid":"k1"}     the key is published no longer
//   {"do":"advance","seconds":3600}      its clock goes forward: what has a lifetime ages
//   {"do":"client-key"}                  the private key of the client `resource-server-key`. Answers `jwk` and `pem`
//
// Nothing here is secret and nobody is asked for a password: never let anything but a test near it.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
const fail = (error) => { say({ error: String(error?.message ?? error) }); process.exit(1); };
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

// The provider remarks on its own experimental parts and on the version of Node; standard output is ours.
console.info = console.log = console.warn = () => {};
process.removeAllListeners('warning');

const { Provider, errors } = await import('oidc-provider');

// One clock for all that the provider dates, moved by `advance` so that no test has to wait.
const startedWith = Date.now;
let shift = 0;
Date.now = () => startedWith() + shift;

const served = { resources: ['https://rs.example/mcp', 'https://other.example/mcp'], scopes: ['use', 'admin'] };
const REDIRECT = 'https://site.example/callback';
const issue = { format: 'jwt', alg: 'ES256', seconds: 600 };
const habits = { askPeople: false, demandNonces: false };

const MAKERS = {
  RS: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  Ed: () => generateKeyPairSync('ed25519'),
};

let keys = []; // Private JWKs, the newest first: the provider signs with the first that fits.
let made = 0;
function addKey(alg) {
  const make = MAKERS[alg] ?? MAKERS[alg.slice(0, 2)];
  if (!make) throw new Error(`no key is made for ${alg}`);
  const kid = `k${made += 1}`;
  keys.unshift({ ...make().privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid });
  return kid;
}

// The provider's own store starts empty whenever the keys change, because that takes a new provider.
const store = new Map();
const alive = (entry) => entry !== undefined && Date.now() < entry.until;
class Store {
  constructor(model) { this.prefix = `${model} `; }

  find(id) {
    const entry = store.get(this.prefix + id);
    return Promise.resolve(alive(entry) ? entry.payload : undefined);
  }

  findWhere(name, value) {
    const found = [...store].find(([key, entry]) => (
      key.startsWith(this.prefix) && alive(entry) && entry.payload[name] === value));
    return Promise.resolve(found?.[1].payload);
  }

  findByUid(uid) { return this.findWhere('uid', uid); }

  findByUserCode(code) { return this.findWhere('userCode', code); }

  upsert(id, payload, seconds) {
    const until = seconds ? Date.now() + seconds * 1000 : Infinity;
    store.set(this.prefix + id, { payload, until });
    return Promise.resolve();
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  destroy(id) {
    store.delete(this.prefix + id);
    return Promise.resolve();
  }

  revokeByGrantId(grant) {
    for (const [key, entry] of store) if (entry.payload.grantId === grant) store.delete(key);
    return Promise.resolve();
  }
}

const clientKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const machine = (client_id, more) => ({
  client_id,
  client_secret: `${client_id}-secret`,
  grant_types: [],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: 'client_secret_basic',
  ...more,
});
const CLIENTS = [
  machine('app', { grant_types: ['client_credentials'] }),
  // Logs people in, and gets ID tokens beside access tokens.
  machine('site', {
    grant_types: ['authorization_code'], redirect_uris: [REDIRECT], response_types: ['code'],
  }),
  machine('app-post', { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_post' }),
  // On a person's own machine, known before (RFC 8252 §7.3: any port). Who registers can ask for no more scopes than
  // those it registered with, this one can.
  {
    client_id: 'desktop',
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [
      'http://127.0.0.1/callback', 'http://localhost/callback', 'http://127.0.0.1/oauth/callback',
    ],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  // Who asks about opaque tokens: in each way to authenticate, and with a signed answer (RFC 9701).
  machine('resource-server'),
  machine('resource-server-post', { token_endpoint_auth_method: 'client_secret_post' }),
  machine('resource-server-key', {
    client_secret: undefined,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [{ ...clientKey.publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'client' }] },
  }),
  machine('resource-server-signed'),
];

const secrets = { cookies: randomBytes(32).toString('hex'), nonces: randomBytes(32) };
const configuration = () => ({
  adapter: Store,
  jwks: { keys },
  clients: CLIENTS,
  clientDefaults: { id_token_signed_response_alg: 'ES256', introspection_signed_response_alg: 'ES256' },
  cookies: { keys: [secrets.cookies] },
  scopes: ['openid', 'offline_access', ...served.scopes],
  pkce: { required: () => true },
  enabledJWA: { dPoPSigningAlgValues: ['ES256', 'PS256', 'EdDSA', 'Ed25519'] },
  ttl: { AccessToken: () => issue.seconds, ClientCredentials: () => issue.seconds, IdToken: 600, Session: 86400, Grant: 86400 },
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  // Pages of any origin may be clients.
  clientBasedCORS: () => true,
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  // Whoever is let in is asked for no consent.
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId,
    });
    grant.addOIDCScope(['openid', 'offline_access', ...served.scopes].join(' '));
    for (const resource of served.resources) grant.addResourceScope(resource, served.scopes.join(' '));
    await grant.save();
    return grant;
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    jwtIntrospection: { enabled: true },
    revocation: { enabled: true },
    dPoP: { enabled: true, nonceSecret: secrets.nonces, requireNonce: () => habits.demandNonces },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo(_ctx, resource) {
        if (!served.resources.includes(resource)) throw new errors.InvalidTarget();
        const sign = issue.format === 'jwt' ? { jwt: { sign: { alg: issue.alg } } } : {};
        return {
          audience: resource,
          scope: served.scopes.join(' '),
          accessTokenTTL: issue.seconds,
          accessTokenFormat: issue.format,
          ...sign,
        };
      },
    },
  },
});

let provider;
let answer;
function build() {
  provider = new Provider(issuer, configuration());
  answer = provider.callback();
}

const FORM = `<!doctype html><title>Sign in</title><h1>Sign in</h1>
<form method="post"><label>Name <input name="login" value="alice" autofocus></label> <button type="submit">Sign in</button></form>
`;

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
}

async function interact(request, response) {
  const { prompt } = await provider.interactionDetails(request, response);
  if (prompt.name !== 'login') {
    await provider.interactionFinished(request, response, { consent: {} }, { mergeWithLastSubmission: true });
  } else if (habits.askPeople && request.method !== 'POST') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(FORM);
  } else {
    const accountId = habits.askPeople ? (await body(request)).get('login') : 'alice';
    await provider.interactionFinished(request, response, { login: { accountId } });
  }
}

const COMMANDS = {
  serve: ({ resources, scopes }) => {
    Object.assign(served, { resources, scopes });
    build();
  },
  'ask-people': ({ form }) => { habits.askPeople = form; },
  'demand-nonces': ({ demand }) => { habits.demandNonces = demand; },
  issue: ({ format, alg, seconds }) => { Object.assign(issue, { format, alg, seconds }); },
  'add-key': ({ alg }) => {
    const kid = addKey(alg);
    build();
    return { kid };
  },
  'withdraw-key': ({ kid }) => {
    const left = keys.filter((key) => key.kid !== kid);
    if (left.length !== keys.length - 1) throw new Error(`no key ${kid}`);
    keys = left;
    build();
  },
  advance: ({ seconds }) => { shift += seconds * 1000; },
  'client-key': () => ({
    jwk: clientKey.privateKey.export({ format: 'jwk' }),
    pem: clientKey.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  }),
};

/** Lets pages of any origin register: the provider leaves its other endpoints open to them, and not this one. */
function openRegistration(request, response) {
  response.setHeader('access-control-allow-origin', '*');
  if (request.method !== 'OPTIONS') return answer(request, response);
  response.setHeader('access-control-allow-headers', 'content-type');
  return response.writeHead(204).end();
}

const server = createServer((request, response) => {
  if (request.url === '/reg') {
    openRegistration(request, response);
  } else if (request.url.startsWith('/interaction/')) {
    interact(request, response).catch((error) => { response.statusCode = 500; response.end(String(error)); });
  } else {
    answer(request, response);
  }
});
await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
const address = `127.0.0.1:${server.address().port}`;
const { values: { issuer = `http://${address}` } } = parseArgs({ options: { issuer: { type: 'string' } } });
addKey('ES256');
build();
say({ issuer, address });

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  try {
    const command = JSON.parse(line);
    say(COMMANDS[command.do](command) ?? {});
  } catch (error) {
    say({ error: String(error.message) });
  }
});
lines.on('close', () => process.exit(0));
