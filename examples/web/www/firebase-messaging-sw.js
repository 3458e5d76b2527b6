// Shows pushes while no page is open, and reports what became of them. FCM's web pushes arrive as
// JSON with `notification` and `data`; Clarion's key for the push is in `data.clarion_push`.

const { clarion, writeKey, deviceId } = Object.fromEntries(new URL(location).searchParams);

self.addEventListener("push", (event) => {
  const { notification, data } = event.data.json();
  const { title, body } = notification ?? data;
  event.waitUntil(
    Promise.all([
      // The tag lets a push that was sent again take the first one's place.
      self.registration.showNotification(title, { body, data, tag: data.clarion_push }),
      report("Push Notification Received", data),
    ]),
  );
});

self.addEventListener("notificationclick", (event) => {
  const { data } = event.notification;
  event.notification.close();
  event.waitUntil(
    Promise.all([
      report("Push Notification Tapped", data),
      data.link ? self.clients.openWindow(data.link) : undefined,
    ]),
  );
});

function report(name, { clarion_push }) {
  return fetch(`${clarion}/v1/track`, {
    method: "POST",
    body: JSON.stringify({
      writeKey,
      anonymousId: deviceId,
      event: name,
      // Of one push each is told once, however often it is said.
      messageId: `${name}:${clarion_push}`,
      properties: { clarion_push },
    }),
  });
}
