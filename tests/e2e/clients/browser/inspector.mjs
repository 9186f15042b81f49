// Drives the Inspector's own page: starts the Inspector, connects, signs in, calls a tool, steps up, calls another.
//
// The one argument is JSON: { server, era, home, shots, client? }. Its page talks to the server through the
// Inspector's Node process; only the redirects to the authorization server are the browser's.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { freePort } from '../free_port.mjs';
import { PATIENCE, either, launch, say, signIn, signInForm } from './chromium.mjs';

const { server, era, home, shots, client } = JSON.parse(process.argv[2]);
const launcher = new URL('../inspector/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js', import.meta.url);
const config = `${home}/mcp.json`;
writeFileSync(config, JSON.stringify({
  mcpServers: {
    protected: {
      type: 'streamable-http', url: server, protocolEra: era, ...(client ? { oauth: { clientId: client } } : {}),
    },
  },
}));

// It ends with us, however we end.
const inspector = spawn('setpriv', ['--pdeathsig', 'TERM', process.execPath, launcher.pathname, '--web', '--config', config], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    PATH: process.env.PATH,
    HOME: home,
    HOST: '127.0.0.1',
    CLIENT_PORT: String(await freePort()),
    MCP_SANDBOX_PORT: '0',
    MCP_APP_ORIGIN_PORT: '0',
    MCP_AUTO_OPEN_ENABLED: 'false',
    MCP_INSPECTOR_SECRET_STORE: 'memory',
  },
});
let address;
for await (const line of createInterface({ input: inspector.stdout })) {
  address = /https?:\/\/\S+TOKEN=\S+/.exec(line)?.[0];
  if (address) break;
}
if (!address) throw new Error('the Inspector ended before it listened');
inspector.stdout.resume();

const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, reducedMotion: 'reduce' });
page.setDefaultTimeout(PATIENCE);
page.on('pageerror', (error) => process.stderr.write(`${error.stack}\n`));
const shot = (name) => page.screenshot({ path: `${shots}/${era}-${name}.png`, animations: 'disabled' });
async function call(tool) {
  await page.getByRole('button', { name: tool }).first().click();
  await page.getByRole('button', { name: 'Execute Tool' }).click();
}
try {
  await page.goto(address);
  await page.getByRole('switch', { name: /connect or disconnect/i }).click({ force: true });
  await signInForm(page).waitFor();
  await shot('1-sign-in');
  await signIn(page);
  await page.getByText('Connected', { exact: true }).waitFor();
  const protocol = /MCP (\d{4}-\d\d-\d\d)/.exec(await page.locator('main').innerText())?.[1];
  say('connected', { protocol });
  await shot('2-connected');

  await page.getByText('Tools', { exact: true }).click();
  await call('whoami');
  const answer = page.getByText(/^alice/);
  await answer.first().waitFor();
  await shot('3-called');
  say('called', { tool: 'whoami', text: await answer.first().innerText() });

  await call('delete_everything');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Authorize' }).waitFor();
  await shot('4-asks-for-more');
  say('refused', { tool: 'delete_everything', text: await dialog.innerText() });

  await dialog.getByRole('button', { name: 'Authorize' }).click();
  if (!client) {
    // Who registered itself gets no more than it registered for.
    await page.getByText(/requested scope is not allowed/).first().waitFor();
    await shot('5-no-more');
  } else {
    const back = page.getByText('Step-up authorization succeeded');
    if (await either(signInForm(page), back)) await signIn(page);
    await back.waitFor();
    await call('delete_everything');
    const deleted = page.getByText(/^deleted/);
    await deleted.first().waitFor();
    await shot('5-called-with-more');
    say('called', { tool: 'delete_everything', text: await deleted.first().innerText() });
  }
} finally {
  await browser.close();
}
say('done');
process.exit(0);
