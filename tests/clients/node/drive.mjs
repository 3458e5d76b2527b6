// Lets one real SDK send: `node drive.mjs SDK URL KEY`. A line of stdin is a call, written as the
// event it becomes; a line of stdout is what the SDK tells its app that it could not send.

import { createInterface } from "node:readline";

const [name, url, key] = process.argv.slice(2);
// An outage may last as long as this machine needs to start again.
const maxRetries = 1_000;
const tell = (error) => console.log(String(error?.reason ?? error?.message ?? error));
process.on("unhandledRejection", tell);

const sdks = {
  async segment() {
    const { Analytics } = await import("@segment/analytics-node");
    const sdk = new Analytics({ writeKey: key, host: url, flushInterval: 50, maxRetries });
    sdk.on("error", tell);
    return (type, event) => sdk[type](event);
  },

  async rudderstack() {
    const { default: Analytics } = await import("@rudderstack/rudder-sdk-node");
    const options = { dataPlaneUrl: url, flushInterval: 50, retryCount: maxRetries, errorHandler: tell };
    const sdk = new Analytics(key, options);
    return (type, event) => sdk[type](event);
  },

  async customerio() {
    const { Analytics } = await import("@customerio/cdp-analytics-node");
    const sdk = new Analytics({ writeKey: key, host: url, flushInterval: 50, maxRetries });
    sdk.on("error", tell);
    return (type, event) => sdk[type](event);
  },

  async jitsu() {
    const { jitsuAnalytics } = await import("@jitsu/js");
    const sdk = jitsuAnalytics({ host: url, writeKey: key, s2s: true, errorPolicy: tell });
    return (type, { userId, event, name, groupId, traits, properties }) => {
      switch (type) {
        case "identify":
          return sdk.identify(userId, traits);
        case "track":
          return sdk.track(event, properties);
        case "page":
          return sdk.page({ name, ...properties });
        case "group":
          return sdk.group(groupId, traits);
      }
    };
  },

  async dittofeed() {
    const { DittofeedSdk } = await import("@dittofeed/sdk-node");
    const writeKey = `Basic ${Buffer.from(`${key}:`).toString("base64")}`;
    await DittofeedSdk.init({ writeKey, host: url });
    return (type, event) => DittofeedSdk[type](event);
  },
};

const send = await sdks[name]();
for await (const line of createInterface({ input: process.stdin })) {
  const { type, ...event } = JSON.parse(line);
  try {
    await send(type, event);
  } catch (error) {
    tell(error);
  }
}
