// The person at the browser: follows redirects, with cookies, until one leads back to the client. Signing in asks
// for nothing, see tests/authorization-server. Nothing listens at the end: the client is given the URL.
export async function visit(start, redirectUri) {
  const jar = new Map();
  let here = new URL(start);
  for (let hop = 0; hop < 10; hop += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(here, { redirect: 'manual', headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = answer.headers.get('location');
    if (!location) throw new Error(`${here.origin}${here.pathname} leads nowhere: ${answer.status} ${await answer.text()}`);
    here = new URL(location, here);
    if (here.href.startsWith(redirectUri)) return here;
  }
  throw new Error('too many redirects');
}
