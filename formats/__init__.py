"""What Milvus writes: snapshot files, object paths, etcd records. Pure: no network, no Temporal."""
