"""etcd's v3 API as far as this project calls it, written from its field numbers; compiled by `make proto`."""
