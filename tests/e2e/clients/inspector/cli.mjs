// The Inspector's command line, for people: node cli.mjs URL --home FOLDER [--protocol …] [--client-id …] [--calls …]
//
// It signs in by opening a browser, which is what `BROWSER` says, and listens for the way back itself. It asks before
// it steps up; the answer is yes. Each call is a process of its own, and remembers no token of the one before.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { freePort } from '../free_port.mjs';

const { values: options, positionals: [url] } = parseArgs({
  allowPositionals: true,
  options: {
    home: { type: 'string' },
    protocol: { type: 'string', default: '2025-11-25' },
    'client-id': { type: 'string' },
    calls: { type: 'string', default: 'whoami,delete_everything' },
  },
});
const say = (step, more = {}) => process.stdout.write(`${JSON.stringify({ step, ...more })}\n`);
const beside = (path) => new URL(path, import.meta.url).pathname;

/** It ends with us, however we end. */
const WITH_US = ['--pdeathsig', 'TERM'];

async function call(tool) {
  const known = options['client-id'] ? ['--client-id', options['client-id']] : [];
  const inspector = spawn('setpriv', [...WITH_US, process.execPath,
    beside('node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js'),
    '--cli', url, '--transport', 'http', '--protocol-era', options.protocol === '2026-07-28' ? 'modern' : 'legacy',
    '--callback-url', `http://127.0.0.1:${await freePort()}/callback`, ...known,
    '--method', 'tools/call', '--tool-name', tool, '--format', 'json',
  ], {
    env: {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: options.home,
      BROWSER: beside('browser.mjs'),
      MCP_AUTO_OPEN_ENABLED: 'true', // Else only if standard error is a terminal.
      MCP_INSPECTOR_SECRET_STORE: 'memory',
    },
  });
  inspector.stdin.end('y\n');
  const [out, complaint, [code]] = await Promise.all([text(inspector.stdout), text(inspector.stderr), once(inspector, 'exit')]);
  process.stderr.write(complaint);
  if (code === 0) say('called', { tool, text: JSON.parse(out).result.content[0].text });
  else say('refused', { tool, error: /"message":("(?:[^"\\]|\\.)*")/.exec(complaint)?.[1] ?? complaint, code });
}

for (const tool of options.calls.split(',')) await call(tool);
say('done');
