// Where Firebase comes in. It needs a project of your own, so that this example does without: the
// token is what was typed in, or one for show. With your project, this is all of it:
//
//   import { initializeApp } from "firebase/app";
//   import { getMessaging, getToken } from "firebase/messaging";
//
//   const messaging = getMessaging(initializeApp({ /* your project's web configuration */ }));
//
//   export const registrationToken = (serviceWorkerRegistration) =>
//     getToken(messaging, { vapidKey: "…", serviceWorkerRegistration });

export async function registrationToken(serviceWorkerRegistration, typed) {
  return typed || `token-for-show-${crypto.randomUUID()}`;
}
