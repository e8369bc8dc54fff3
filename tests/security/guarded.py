"""Servers that ask who is there: etcd and S3 with users, TLS before all three, one private authority."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stores.etcd import Etcd3Client
from tests.e2e.deployment import Deployment
from tests.security.documented import policy, role
from tests.security.guarded_s3 import GuardedS3, guarded_s3
from tests.security.terminator import Terminator, tls_before
from tests.stores.authority import certify
from tests.stores.etcd_server import EtcdServer, running


@dataclass(frozen=True)
class Guarded:
    """The servers and their administrator's ways in."""

    certificates: Path
    s3: GuardedS3
    etcd: EtcdServer
    administrator: Etcd3Client
    temporal: Terminator

    @property
    def tls_to_temporal(self) -> dict[str, str]:
        """Temporal's own variables, with a client certificate."""
        return {
            "TEMPORAL_ADDRESS": self.temporal.address,
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(self.certificates / "ca.crt"),
            "TEMPORAL_TLS_CLIENT_CERT_PATH": str(self.certificates / "client.crt"),
            "TEMPORAL_TLS_CLIENT_KEY_PATH": str(self.certificates / "client.key"),
        }

    def deployment(self) -> Deployment:
        """A Milvus's bucket and root of its own, prepared by the administrators."""
        leads = {"AWS_SECRET_ACCESS_KEY": self.s3.secret_key}
        return Deployment(leads, self.s3.client(), self.administrator, root="files", sub_path="meta")

    def admit(self, source: Deployment, target: Deployment) -> dict[str, str]:
        """Variables of a worker that may do what docs/security.md says, and nothing else."""
        rights = policy(source=(source.bucket, source.root), target=(target.bucket, target.root))
        access, secret = self.s3.admit(rights)
        user, password = f"u-{secrets.token_hex(6)}", secrets.token_urlsafe(24)
        for command in role(user, password, target.etcd_root):
            self.etcd.ctl(*command)
        return {
            "RESTORE_S3_ENDPOINT": self.s3.endpoint,
            "RESTORE_S3_REGION": "us-east-1",
            "RESTORE_S3_BUCKET": target.bucket,
            "RESTORE_S3_ROOT_PATH": target.root,
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_CA_BUNDLE": str(self.certificates / "ca.crt"),
            "RESTORE_ETCD_ENDPOINTS": f"https://{self.etcd.address}",
            "RESTORE_ETCD_ROOT_PATH": target.etcd_root,
            "RESTORE_ETCD_META_SUB_PATH": target.sub_path,
            "RESTORE_ETCD_USER": user,
            "RESTORE_ETCD_PASSWORD": password,
            "RESTORE_ETCD_CA": str(self.certificates / "ca.crt"),
            "RESTORE_ETCD_CERT": str(self.certificates / "client.crt"),
            "RESTORE_ETCD_KEY": str(self.certificates / "client.key"),
        }


@contextmanager
def guarded(folder: Path, temporal: str) -> Iterator[Guarded]:
    """Running servers, gone afterwards."""
    certificates = folder / "certificates"
    certificates.mkdir()
    certify(certificates)
    with ExitStack() as stack:
        s3 = stack.enter_context(guarded_s3(folder / "s3", certificates))
        etcd = stack.enter_context(running(_etcd(folder, certificates)))
        administrator = stack.enter_context(_administrator(etcd, certificates))
        yield Guarded(
            certificates, s3, etcd, administrator, stack.enter_context(tls_before(temporal, certificates))
        )


def _etcd(folder: Path, certificates: Path) -> EtcdServer:
    """It wants a certificate of its clients, and as soon as there is a root user a password too."""
    ca, cert, key = (str(certificates / name) for name in ("ca.crt", "server.crt", "server.key"))
    known = ("--client-cert-auth", "--trusted-ca-file", ca)
    return EtcdServer(
        folder,
        *("--cert-file", cert, "--key-file", key, *known),
        scheme="https",
        ctl=("--cacert", ca, "--cert", cert, "--key", key, "--user", ROOT),
    )


ROOT = "root:root-secret"


def _administrator(etcd: EtcdServer, certificates: Path) -> Etcd3Client:
    user, password = ROOT.split(":")
    for command in (("user", "add", ROOT), ("user", "grant-role", user, "root"), ("auth", "enable")):
        etcd.ctl(*command)
    return Etcd3Client(
        [f"https://{etcd.address}"],
        user=user,
        password=password,
        ca_cert=certificates / "ca.crt",
        cert_cert=certificates / "client.crt",
        cert_key=certificates / "client.key",
    )
