"""Protobuf bytes as Milvus keeps them in etcd."""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from formats.errors import UnsupportedFormat

M = TypeVar("M", bound=Message)


def encode(message: Message) -> bytes:
    """Returns the same bytes for equal messages, unknown fields included."""
    return message.SerializeToString(deterministic=True)


def decode(kind: type[M], value: bytes, where: str) -> M:
    """Returns the message with its unknown fields kept; UnsupportedFormat naming `where` when it is none."""
    message = kind()
    try:
        message.ParseFromString(value)
    except DecodeError as error:
        raise UnsupportedFormat(
            f"{where} holds {len(value)} bytes that are no {message.DESCRIPTOR.name}; check that the etcd "
            "root path is Milvus's and that its version is a known one"
        ) from error
    return message
