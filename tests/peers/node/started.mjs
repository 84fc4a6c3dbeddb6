// What both peers share: their orders come as one line of JSON on standard input, and they end with its end.
import { createServer as createPlain } from "node:http";
import { createServer as createSecure } from "node:https";
import { createInterface } from "node:readline";

/** The orders of whoever started this process. */
export async function orders() {
  const lines = createInterface({ input: process.stdin });
  process.stdin.on("end", () => process.exit(0));
  const { value } = await lines[Symbol.asyncIterator]().next();
  return JSON.parse(value);
}

/** A server on a free port of 127.0.0.1; tls: {key, cert} in PEM, or null for plain http. */
export async function listening(tls) {
  const server = tls ? createSecure(tls) : createPlain();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { server, origin: `${tls ? "https" : "http"}://localhost:${server.address().port}` };
}

/** Tells that the server answers, and under which issuer. */
export function say(issuer) {
  process.stdout.write(`${JSON.stringify({ issuer })}\n`);
}
