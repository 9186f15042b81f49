// Debian's glewlwyd, a second authorization server with nothing in common with the first: C, an issuer with a path,
// the OpenID discovery document alone, audiences that are scopes unless a resource is asked for.
//
//     node serve.mjs FOLDER URL      URL is how it is called: the address of a proxy in front of it
//
// It starts from an empty database in FOLDER, on a loopback port that was free. Each line of standard input is a list
// of resources, JSON: it issues tokens for these from then on. Says { step: 'serving', address, issuer } and for each
// line { step: 'told' }. It ends when its input ends.
//
// Nothing here is secret: never let anything but a test near it.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { freePort } from '../clients/free_port.mjs';

const SCHEMA = '/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz';
const SCOPES = ['tools:read', 'tools:write'];
const MAY_INTROSPECT = 'introspect';
const CLIENTS = [
  ['app', ['client_secret_basic'], SCOPES],
  ['app-post', ['client_secret_post'], SCOPES],
  ['resource-server', ['client_secret_basic'], [MAY_INTROSPECT]],
];

const [, , folder, url] = process.argv;
const issuer = `${url}/api/oidc`;
const say = (step, more = {}) => process.stdout.write(`${JSON.stringify({ step, ...more })}\n`);

if (!existsSync(SCHEMA)) {
  throw new Error(`${SCHEMA} is missing: apt was told to leave documentation out. Install glewlwyd anew with `
    + "-o Dpkg::Options::='--path-include=/usr/share/doc/glewlwyd/*'");
}
const database = new DatabaseSync(`${folder}/glewlwyd.db`);
database.exec(gunzipSync(readFileSync(SCHEMA)).toString());
database.close();

const port = await freePort();
const address = `127.0.0.1:${port}`;
const MODULES = '/usr/lib/glewlwyd';
// The three files of a secure connection must be named even where there is none.
writeFileSync(`${folder}/glewlwyd.conf`, `
port=${port}
bind_address="127.0.0.1"
external_url="${url}"
login_url="login.html"
api_prefix="api"
log_mode="file"
log_level="WARNING"
log_file="${folder}/glewlwyd.log"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="${MODULES}/user"
client_module_path="${MODULES}/client"
user_auth_scheme_module_path="${MODULES}/scheme"
plugin_module_path="${MODULES}/plugin"
use_secure_connection=false
secure_connection_key_file="${folder}/none"
secure_connection_pem_file="${folder}/none"
secure_connection_ca_file="${folder}/none"
cookie_secure=0
hash_algorithm="SHA512"
database={ type="sqlite3" path="${folder}/glewlwyd.db" };
`);
// It ends with us, however we end.
const server = spawn('setpriv', ['--pdeathsig', 'TERM', 'glewlwyd', `--config-file=${folder}/glewlwyd.conf`], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
server.on('exit', (code) => {
  process.stderr.write(`glewlwyd ended with ${code}\n`);
  process.exit(1);
});

let cookie;
async function admin(method, path, body) {
  const answer = await fetch(`http://${address}/api/${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(cookie ? { cookie } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  cookie ??= answer.headers.getSetCookie()[0]?.split(';')[0];
}

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const plugin = (resources) => ({
  module: 'oidc',
  name: 'oidc',
  display_name: 'oidc',
  parameters: {
    iss: issuer,
    'subject-type': 'public',
    'jwks-private': JSON.stringify({ keys: [{ ...key, alg: 'ES256', use: 'sig', kid: 'glewlwyd' }] }),
    'jwks-show': true,
    'default-kid': '',
    'jwt-type': 'ecdsa',
    'jwt-key-size': '256',
    key: '',
    cert: '',
    'access-token-duration': 600,
    'refresh-token-duration': 600,
    'code-duration': 600,
    'refresh-token-rolling': false,
    'allow-non-oidc': true,
    'auth-type-client-enabled': true,
    'auth-type-code-enabled': false,
    'auth-type-token-enabled': false,
    'auth-type-password-enabled': false,
    'auth-type-device-enabled': false,
    'auth-type-refresh-enabled': false,
    'allowed-scope': ['openid', ...SCOPES],
    'introspection-revocation-allowed': true,
    'introspection-revocation-allow-target-client': true,
    'introspection-revocation-auth-scope': [MAY_INTROSPECT],
    'register-client-allowed': false,
    'oauth-dpop-allowed': true,
    'oauth-dpop-iat-duration': 60,
    'oauth-as-iss-id': true,
    'resource-allowed': true,
    'resource-scope': Object.fromEntries(SCOPES.map((scope) => [scope, resources])),
    'resource-scope-and-client-property': false,
  },
});

for (;;) {
  try {
    await fetch(`http://${address}/config`);
    break;
  } catch {
    await pause(20); // It says nowhere when it listens.
  }
}
await admin('POST', 'auth/', { username: 'admin', password: 'password' });
for (const name of [...SCOPES, MAY_INTROSPECT]) {
  await admin('POST', 'scope/', { name, display_name: name, password_required: true, scheme: {} });
}
await admin('POST', 'mod/plugin/', plugin([]));
for (const [client_id, token_endpoint_auth_method, scope] of CLIENTS) {
  await admin('POST', 'client/', {
    client_id,
    client_secret: `${client_id}-secret`,
    confidential: true,
    enabled: true,
    scope,
    authorization_type: ['client_credentials'],
    token_endpoint_auth_method,
    redirect_uri: [],
  });
}
say('serving', { address, issuer });

for await (const line of createInterface({ input: process.stdin })) {
  await admin('PUT', 'mod/plugin/oidc', plugin(JSON.parse(line)));
  // It reads its parameters when it starts.
  await admin('PUT', 'mod/plugin/oidc/disable');
  await admin('PUT', 'mod/plugin/oidc/enable');
  say('told');
}
process.exit(0);
