// What the drivers share: the browser, the person who signs in, and the lines for the test.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

export const say = (step, more = {}) => process.stdout.write(`${JSON.stringify({ step, ...more })}\n`);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
/** Waits until the test says to go on; false when it has ended. */
export async function told(more = {}) {
  say('waiting', more);
  return !(await lines.next()).done;
}

/** Starts the system's Chromium with an empty profile. It is told to look up nobody but us. */
export const launch = () => chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});

/** A busy machine may take its time: for each thing that is waited for. */
export const PATIENCE = 60_000;

/** Waits for one of two things; says whether it was the first. Both survive navigations. */
export async function either(first, second) {
  await first.or(second).first().waitFor({ timeout: PATIENCE });
  return first.isVisible();
}

export const signInForm = (page) => page.locator('input[name=login]');
/** Is the person: fills in the authorization server's form. */
export async function signIn(page) {
  await signInForm(page).fill('alice');
  await page.locator('button[type=submit]').click();
}
