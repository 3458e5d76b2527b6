import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";

window.start = (url, key) => {
  const analytics = new RudderAnalytics();
  analytics.load(key, url, { configUrl: url, queueOptions: { minRetryDelay: 100 } });
  return analytics;
};
