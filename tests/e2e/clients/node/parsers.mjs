// Reads challenges as both SDKs do. A line in is the `WWW-Authenticate` lines of a response, as a JSON array; a line
// out is what each SDK finds.
import { createInterface } from 'node:readline';
import * as v1 from '@modelcontextprotocol/sdk/client/auth.js';
import * as v2 from '@modelcontextprotocol/client';

const read = (sdk, lines) => {
  const response = () => new Response(null, { status: 401, headers: lines.map((line) => ['www-authenticate', line]) });
  const { resourceMetadataUrl, scope, error, errorDescription } = sdk.extractWWWAuthenticateParams(response());
  const only = sdk.extractResourceMetadataUrl(response());
  return { resource_metadata: resourceMetadataUrl?.href, scope, error, error_description: errorDescription, only: only?.href };
};

for await (const line of createInterface({ input: process.stdin })) {
  const lines = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({ step: 'read', v1: read(v1, lines), v2: read(v2, lines) })}\n`);
}
