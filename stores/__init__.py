"""The two outside worlds, object storage and metadata, each behind a port with an in-memory twin."""
