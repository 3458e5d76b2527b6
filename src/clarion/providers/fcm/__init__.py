"""The provider: Firebase Cloud Messaging over HTTP v1."""
