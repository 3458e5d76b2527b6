// Lets firebase-admin send: `node firebase.mjs KEY_FILE PORT`. A line of stdin names a method of its
// messaging and its arguments; a line of stdout is what came of it. Google's hosts are this machine's
// PORT, as /etc/hosts could make them; the authority is trusted by NODE_EXTRA_CA_CERTS.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import tls from "node:tls";
import { cert, initializeApp } from "firebase-admin/app";
import { getMessaging } from "firebase-admin/messaging";

const [keyFile, port] = process.argv.slice(2);
const connect = tls.connect;
tls.connect = (...args) => {
  // (options, done), (port, host, options, done)
  const [first, host, options, ...rest] =
    typeof args[0] === "object" ? [args[0].port, args[0].host, ...args] : args;
  const servername = options.servername || host;
  if (!servername?.endsWith(".googleapis.com")) throw new Error(`${servername}:${first} is foreign`);
  return connect({ ...options, host: "127.0.0.1", port, servername }, ...rest);
};

const messaging = getMessaging(
  initializeApp({ credential: cert(JSON.parse(readFileSync(keyFile, "utf8"))) }),
);
const said = (error) => ({ code: error.code, message: error.message });

for await (const line of createInterface({ input: process.stdin })) {
  const [method, ...args] = JSON.parse(line);
  let reply;
  try {
    const value = await messaging[method](...args);
    const responses = value?.responses?.map(({ messageId, error }) =>
      error ? said(error) : { messageId },
    );
    const errors = value?.errors?.map(({ index, error }) => ({ index, ...said(error) }));
    const { successCount, failureCount } = value ?? {};
    reply = { value: typeof value === "object" ? null : value, responses, errors };
    Object.assign(reply, { successCount, failureCount });
  } catch (error) {
    reply = { error: said(error) };
  }
  console.log(JSON.stringify(reply));
}
process.exit(0);
