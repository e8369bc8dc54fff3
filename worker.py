"""The worker: settings to clients to activities to a Temporal worker."""
