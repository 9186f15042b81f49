// Drives our page, time and again in one browser: each time with an empty profile, as another person would come.
//
// The one argument is JSON: { page, server, mode, client?, shots?, runs }. Before each run it waits for a line. After
// it: { step: 'ran', reached, said, seen }, where `reached` is the last thing that went well.
import { PATIENCE, either, launch, say, signIn, signInForm, told } from './chromium.mjs';

const { page: origin, server, mode, client, shots, runs = 1 } = JSON.parse(process.argv[2]);
const url = new URL(origin);
url.search = new URLSearchParams({ server, mode, ...(client ? { client } : {}) });

/** Presses a button and signs in whenever asked to; says whether the page got where it should. */
async function press(page, id, state) {
  await page.locator(`#${id}`).click();
  const there = page.locator(`body[data-state=${state}]`);
  // Last, what Chromium makes of an answer that is no page: then the page has gone astray.
  const ended = there.or(page.locator('body[data-state=failed]')).or(page.locator('body > pre'));
  while (await either(signInForm(page), ended)) await signIn(page);
  return there.isVisible();
}

async function run(browser, number) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on('pageerror', (error) => process.stderr.write(`${error.stack}\n`));
  await page.goto(url.href);
  let reached = 'opened';
  for (const [id, state, name] of [
    ['connect', 'connected', 'connected'], ['read', 'called', 'called'], ['write', 'called', 'stepped up'], ['leave', 'left', 'left'],
  ]) {
    if (!(await press(page, id, state))) break;
    reached = name;
    if (shots && name === 'stepped up') await page.screenshot({ path: `${shots}/page-${number}.png`, fullPage: true });
  }
  const { origin: here, pathname } = new URL(page.url());
  const said = here === origin ? await page.locator('#said').textContent() : `astray at ${here}${pathname}`;
  const seen = await page.evaluate(() => JSON.parse(sessionStorage.getItem('seen') ?? '[]'));
  if (shots && reached !== 'left') await page.screenshot({ path: `${shots}/page-${number}-failed.png`, fullPage: true });
  await context.close();
  return { reached, said, seen };
}

const browser = await launch();
try {
  for (let number = 1; number <= runs && await told({ number }); number += 1) say('ran', await run(browser, number));
} finally {
  await browser.close();
}
say('done');
process.exit(0);
