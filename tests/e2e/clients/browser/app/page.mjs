// An MCP client that lives in a web page: all it knows is the server's URL. Discovery, registration and tokens are
// `fetch` from here, so every answer has passed the browser's CORS checks; the sign-in is a redirect in this tab.
//
// /?server=URL&mode=legacy|2026-07-28[&client=ID]      with ID, a client that was registered beforehand
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

// A redirect unloads the page, so all that must outlive it is kept for as long as the tab.
const kept = {
  get: (name) => JSON.parse(sessionStorage.getItem(name) ?? 'null'),
  set: (name, value) => sessionStorage.setItem(name, JSON.stringify(value)),
};
const query = new URLSearchParams(location.search);
if (query.has('server')) for (const [name, value] of query) kept.set(name, value);
const element = (id) => document.getElementById(id);

function show(state, text = '') {
  element('said').textContent = text;
  element('seen').replaceChildren(...(kept.get('seen') ?? []).map(([status, request, challenge]) => {
    const row = document.createElement('tr');
    for (const cell of [status, request, challenge]) row.insertCell().textContent = cell ?? '';
    return row;
  }));
  document.body.dataset.state = state;
}

/** `fetch`, remembering what the page got to see: scripts can read a header of another origin only if it is exposed. */
async function watchedFetch(url, init) {
  const request = `${init?.method ?? 'GET'} ${url}`;
  const note = (...cells) => kept.set('seen', [...(kept.get('seen') ?? []), cells]);
  try {
    const response = await fetch(url, init);
    note(response.status, request, response.headers.get('www-authenticate'));
    return response;
  } catch (error) {
    note('kept from the page', request);
    throw error;
  }
}

const provider = {
  redirectUrl: `${location.origin}/callback`,
  clientMetadata: {
    client_name: 'A page',
    redirect_uris: [`${location.origin}/callback`],
    application_type: 'native', // Only for these may a redirect stay on this machine.
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state() {
    const state = crypto.randomUUID();
    kept.set('state', state);
    return state;
  },
  clientInformation: () => kept.get('registration') ?? (kept.get('client') ? { client_id: kept.get('client') } : undefined),
  saveClientInformation: (registration) => kept.set('registration', registration),
  tokens: () => kept.get('tokens') ?? undefined,
  saveTokens: (tokens) => kept.set('tokens', tokens),
  saveCodeVerifier: (verifier) => kept.set('verifier', verifier),
  codeVerifier: () => kept.get('verifier'),
  redirectToAuthorization: (url) => { location.assign(url); },
};

let client;
let transport;
const open = () => new StreamableHTTPClientTransport(new URL(kept.get('server')), { authProvider: provider, fetch: watchedFetch });
async function connect() {
  const mode = kept.get('mode');
  client = new Client({ name: 'page', version: '0' }, { versionNegotiation: { mode: mode === 'legacy' ? mode : { pin: mode } } });
  transport = open();
  await client.connect(transport);
  const { tools } = await client.listTools();
  show('connected', `${client.getNegotiatedProtocolVersion()}: ${tools.map(({ name }) => name).join(', ')}`);
}
async function call(name) {
  const { content } = await client.callTool({ name, arguments: {} });
  show('called', `${name}: ${content.map(({ text }) => text).join()}`);
}
async function leave() {
  await transport.terminateSession();
  await client.close();
  show('left');
}

/** Does it, and after a sign-in that it turns out to need does it again, from the start of the page. */
async function attempt(what, action) {
  kept.set('pending', what);
  show('busy', what);
  try {
    await action();
    kept.set('pending', null);
  } catch (error) {
    // The browser is on its way to the authorization server.
    if (!(error instanceof UnauthorizedError)) show('failed', `${what}: ${error.name}: ${error.message}`);
  }
}
const actions = {
  connect: () => connect(),
  read: () => call('whoami'),
  write: () => call('delete_everything'),
  leave: () => leave(),
};
for (const [id, action] of Object.entries(actions)) element(id).onclick = () => attempt(id, action);

element('here').textContent = location.origin;
element('there').textContent = kept.get('server');
if (location.pathname === '/callback') {
  const pending = kept.get('pending');
  await attempt(pending, async () => {
    if (query.get('state') !== kept.get('state')) throw new Error('an answer to a question that nobody asked');
    if (query.has('error')) throw new Error(`${query.get('error')}: ${query.get('error_description')}`);
    await open().finishAuth(query);
    history.replaceState(null, '', '/');
    await connect();
    if (pending !== 'connect') await actions[pending]();
  });
} else {
  show('idle');
}
