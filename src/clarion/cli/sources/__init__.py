"""`clarion sources | firebase-apps`."""
