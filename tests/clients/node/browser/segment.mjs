import { AnalyticsBrowser } from "@segment/analytics-next";

window.start = (url, key) => AnalyticsBrowser.load({ writeKey: key, cdnURL: url });
