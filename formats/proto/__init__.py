"""Protobuf messages of our own, written from the field tables; compiled by `make proto`."""
