// What a web app sends to Clarion, and when. See docs/guides/collect/web.md.

import { AnalyticsBrowser } from "@segment/analytics-next";
import { registrationToken } from "./firebase.js";

const REFRESH_AFTER_DAYS = 30;
const DAY = 24 * 60 * 60 * 1000;

const asked = new URLSearchParams(location.search);
const clarion = asked.get("clarion") ?? "http://127.0.0.1:8080";
const writeKey = asked.get("writeKey");

// One id for this installation, as long as the browser keeps it.
localStorage.deviceId ??= crypto.randomUUID();
const { deviceId } = localStorage;

// Settings come from Clarion, and name Clarion as where to send.
const analytics = AnalyticsBrowser.load({ writeKey, cdnURL: clarion });
// Until somebody signs in, the device stands for the person.
analytics.setAnonymousId(deviceId);
// Without its settings the SDK sends nothing: the write key is wrong, or Clarion is not there.
analytics.catch(({ message }) => said(`nothing can be sent: ${clarion} says ${message}`));

// --- on the first start ---------------------------------------------------------------------

if (writeKey && !localStorage.installedAt) {
  track("Application Installed", { version: "1.0.0" });
  localStorage.installedAt = Date.now();
}

// --- when the person accepts push ------------------------------------------------------------

async function acceptPush(typed) {
  if ((await Notification.requestPermission()) !== "granted") {
    said("push was declined: nothing is registered");
    return;
  }
  const worker = await navigator.serviceWorker.register(
    `firebase-messaging-sw.js?${new URLSearchParams({ clarion, writeKey, deviceId })}`,
  );
  localStorage.token = await registrationToken(worker, typed);
  registerPush();
}

function registerPush() {
  const { token, userId } = localStorage;
  if (!token) return;
  // Signed out, the device registers for itself: it is nobody's in particular then.
  const properties = { deviceId, fcmToken: token, deviceType: "Web" };
  track("Register Push", properties, { userId: userId ?? deviceId });
  localStorage.registeredAt = Date.now();
}

// --- on every start: refresh what is older than 30 days ----------------------------------------

if (Date.now() - Number(localStorage.registeredAt ?? 0) > REFRESH_AFTER_DAYS * DAY) registerPush();

// --- on sign-in and sign-out -------------------------------------------------------------------

function signIn({ userId, firstName, email }) {
  localStorage.userId = userId;
  analytics.identify(userId, { first_name: firstName, email });
  said(`identify ${userId}`);
  registerPush();
}

function signOut() {
  delete localStorage.userId;
  // `reset` would have another anonymous id, but the installation is still the same.
  analytics.reset();
  analytics.setAnonymousId(deviceId);
  registerPush();
}

// --- the page ----------------------------------------------------------------------------------

function track(event, properties, options) {
  analytics.track(event, properties, options);
  said(`track ${event} ${JSON.stringify(properties)}`);
}

function said(text) {
  const line = document.createElement("li");
  line.textContent = text;
  document.getElementById("said").append(line);
  show();
}

function show() {
  const { userId } = localStorage;
  document.getElementById("device").textContent = deviceId;
  document.getElementById("who").textContent = userId ? `${userId} is here` : "nobody is signed in";
}

function onSubmit(id, act) {
  document.getElementById(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act(Object.fromEntries(new FormData(event.target)));
  });
}

onSubmit("push", ({ token }) => acceptPush(token));
onSubmit("sign-in", signIn);
document.getElementById("sign-out").addEventListener("click", signOut);
if (!writeKey) said("open this page with ?writeKey=… of a source: nothing can be sent without");
show();
