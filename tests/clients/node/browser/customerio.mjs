import { AnalyticsBrowser } from "@customerio/cdp-analytics-browser";

window.start = (url, key) => AnalyticsBrowser.load({ writeKey: key, cdnURL: `${url}/customerio` });
