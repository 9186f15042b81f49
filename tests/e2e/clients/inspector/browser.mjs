#!/usr/bin/env node
// A browser without a window: goes where the Inspector sends the person, and then to the Inspector's own page.
import { visit } from '../node/person.mjs';

const [, , start] = process.argv;
const back = await visit(start, new URL(start).searchParams.get('redirect_uri'));
await fetch(back);
