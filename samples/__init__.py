"""A sample collection in Milvus's own formats, its snapshot, and an independent proof of its restore."""
