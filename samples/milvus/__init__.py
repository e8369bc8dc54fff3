"""A real Milvus on this machine, and its client, each from its wheel."""
