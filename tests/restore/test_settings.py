import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from restore.errors import InvalidRequest
from restore.profiles import S3Settings
from restore.settings import Settings

Write = Callable[[str], Path]

EVERY_KEY = """
task_queue = "of-the-file"

[profiles.default.s3]
endpoint = "http://file:9000"
bucket = "of-the-file"

[profiles.backup.s3]
endpoint = "https://backup:9000"
region = "eu-west-1"
bucket = "backups"
root_path = "/milvus/files/"
access_key_env = "BACKUP_ACCESS"
secret_key_env = "BACKUP_SECRET"

[profiles.backup.etcd]
endpoints = ["http://one:2379", "http://two:2379"]
root_path = "prod"
meta_sub_path = "metadata"
user = "root"
password_env = "BACKUP_PASSWORD"
ca = "/tls/ca.pem"
cert = "/tls/cert.pem"
key = "/tls/key.pem"

[profiles.backup.milvus]
address = "milvus:19530"
token_env = "BACKUP_TOKEN"
"""


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RESTORE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the settings file and name it in RESTORE_CONFIG."""

    def write(text: str) -> Path:
        path = tmp_path / "restore.toml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("RESTORE_CONFIG", str(path))
        return path

    return write


def test_without_file_and_environment_the_contract_s_defaults_hold() -> None:
    settings = Settings.load()
    assert settings.task_queue == "milvus-restore"
    profile = settings.profile("default")
    s3, etcd, milvus = profile.s3, profile.etcd, profile.milvus
    assert (s3.endpoint, s3.region, s3.bucket, s3.root_path) == (None, "us-east-1", "a-bucket", "files")
    assert s3.credentials() is None
    assert (etcd.endpoints, etcd.root_path, etcd.meta_sub_path) == (("localhost:2379",), "by-dev", "meta")
    assert (etcd.user, etcd.password(), etcd.ca, etcd.cert, etcd.key) == (None, None, None, None, None)
    assert (milvus.address, milvus.token()) == (None, None)


def test_every_key_of_the_file_reaches_its_profile(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(EVERY_KEY)
    for name in ("ACCESS", "SECRET", "PASSWORD", "TOKEN"):
        monkeypatch.setenv(f"BACKUP_{name}", f"held {name}")
    settings = Settings.load()
    assert settings.task_queue == "of-the-file"
    backup = settings.profile("backup")
    assert backup.name == "backup"
    assert backup.s3.endpoint == "https://backup:9000"
    assert (backup.s3.region, backup.s3.bucket, backup.s3.root_path) == (
        "eu-west-1",
        "backups",
        "milvus/files",
    )
    keys = backup.s3.credentials()
    assert keys is not None
    assert [key.get_secret_value() for key in keys] == ["held ACCESS", "held SECRET"]
    assert backup.etcd.endpoints == ("http://one:2379", "http://two:2379")
    assert (backup.etcd.root_path, backup.etcd.meta_sub_path, backup.etcd.user) == (
        "prod",
        "metadata",
        "root",
    )
    assert (backup.etcd.ca, backup.etcd.cert, backup.etcd.key) == (
        Path("/tls/ca.pem"),
        Path("/tls/cert.pem"),
        Path("/tls/key.pem"),
    )
    password, token = backup.etcd.password(), backup.milvus.token()
    assert password is not None
    assert token is not None
    assert (password.get_secret_value(), token.get_secret_value()) == ("held PASSWORD", "held TOKEN")
    assert backup.milvus.address == "milvus:19530"


def test_the_environment_stands_above_the_file_for_the_default_profile_only(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(EVERY_KEY)
    variables = {
        "RESTORE_TASK_QUEUE": "of-the-environment",
        "RESTORE_S3_ENDPOINT": "http://environment:9000",
        "RESTORE_S3_REGION": "ap-south-1",
        "RESTORE_S3_ROOT_PATH": "elsewhere",
        "RESTORE_ETCD_ENDPOINTS": "http://a:2379, http://b:2379",
        "RESTORE_ETCD_ROOT_PATH": "by-env",
        "RESTORE_ETCD_META_SUB_PATH": "sub",
        "RESTORE_ETCD_USER": "someone",
        "RESTORE_ETCD_CA": "/ca",
        "RESTORE_ETCD_CERT": "/cert",
        "RESTORE_ETCD_KEY": "/key",
        "RESTORE_MILVUS_ADDRESS": "localhost:19530",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert settings.task_queue == "of-the-environment"
    default = settings.profile("default")
    assert (default.s3.endpoint, default.s3.region) == ("http://environment:9000", "ap-south-1")
    assert default.s3.root_path == "elsewhere"
    assert default.s3.bucket == "of-the-file", "the file holds where the environment is silent"
    assert default.etcd.endpoints == ("http://a:2379", "http://b:2379")
    assert (default.etcd.root_path, default.etcd.meta_sub_path) == ("by-env", "sub")
    assert default.etcd.user == "someone"
    assert (default.etcd.ca, default.etcd.cert, default.etcd.key) == (
        Path("/ca"),
        Path("/cert"),
        Path("/key"),
    )
    assert default.milvus.address == "localhost:19530"
    backup = settings.profile("backup")
    assert backup.s3.endpoint == "https://backup:9000"
    assert backup.etcd.user == "root"


def test_a_flag_stands_above_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTORE_TASK_QUEUE", "of-the-environment")
    assert Settings.load(task_queue="of-the-flag").task_queue == "of-the-flag"


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "S3_ENDPOINT", "ETCD_ENDPOINTS", "ETCD_PASSWORD", "MILVUS_ADDRESS", "TASK_QUEUE"):
        monkeypatch.setenv(f"RESTORE_{name}", "")
    settings = Settings.load()
    assert settings == Settings.load(config=None)
    assert settings.task_queue == "milvus-restore"
    assert settings.profile("default").s3.endpoint is None
    assert settings.profile("default").etcd.password() is None


def test_comma_separated_endpoints_of_the_file_are_a_list(write: Write) -> None:
    write('[profiles.other.etcd]\nendpoints = "http://a:2379,http://b:2379"')
    assert Settings.load().profile("other").etcd.endpoints == ("http://a:2379", "http://b:2379")


def test_a_profile_that_is_not_there_is_answered_with_those_that_are(write: Write) -> None:
    write(EVERY_KEY)
    with pytest.raises(InvalidRequest, match=r"no profile is named 'bakcup'; known are backup, default$"):
        Settings.load().profile("bakcup")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("task_que = 'x'", "the top level has no key 'task_que'; did you mean 'task_queue'?"),
        ("[profiles.prod.s4]", "[profiles.prod] has no key 's4'; did you mean 's3'?"),
        ("[profiles.prod.s3]\nbuket = 'x'", "[profiles.prod.s3] has no key 'buket'; did you mean 'bucket'?"),
        (
            "[profiles.default.s3]\nbuket = 'x'",
            "[profiles.default.s3] has no key 'buket'; did you mean 'bucket'?",
        ),
        (
            "[profiles.prod.etcd]\npassword = 'open sesame'",
            "[profiles.prod.etcd] has no key 'password'; did you mean 'password_env'?",
        ),
        (
            "[profiles.prod.milvus]\nzzz = 1",
            "has no key 'zzz'; known are address, management, gc_tolerance, token_env, token_file",
        ),
        ("profiles = 3", "[profiles] is to be a table, found int"),
        ("[profiles.prod]\ns3 = 'x'", "[profiles.prod.s3] is to be a table, found str"),
        ("[profiles", "is no TOML: "),
        ("task_queue = 7", "the top level task_queue: Input should be a valid string"),
        (
            "[profiles.prod.s3]\nendpoint = 'host:9000'",
            "[profiles.prod.s3] endpoint: an endpoint begins with",
        ),
        (
            "[profiles.default.s3]\nendpoint = 'host:9000'",
            "[profiles.default.s3] endpoint: an endpoint begins with",
        ),
        ("[profiles.prod.etcd]\nendpoints = []", "[profiles.prod.etcd] endpoints: "),
        (
            "[profiles.prod.milvus]\naddress = 'http://m:1'",
            "[profiles.prod.milvus] address: an address reads",
        ),
        ("[profiles.prod.etcd]\ncert = 'c'", "[profiles.prod.etcd]: cert and key are given both or neither"),
        (
            "[profiles.prod.s3]\naccess_key_env = 'A'",
            "[profiles.prod.s3]: access_key and secret_key are named",
        ),
        (
            "[profiles.prod.milvus]\ntoken_env = 'A'\ntoken_file = 'b'",
            "[profiles.prod.milvus]: name either token_env or token_file, not both",
        ),
    ],
)
def test_a_wrong_file_is_answered_with_file_table_key_and_what_was_meant(
    write: Write, text: str, complaint: str
) -> None:
    path = write(text)
    with pytest.raises(InvalidRequest) as caught:
        Settings.load()
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)
    assert "open sesame" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"nowhere\.toml cannot be read: No such file"):
        Settings.load(config=tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RESTORE_S3_ENDPOINT", "host:9000"),
        ("RESTORE_S3_ENDPOINT", "http://me:open-sesame@host:9000"),
        ("RESTORE_ETCD_ENDPOINTS", "http://me:open-sesame@host:2379"),
        ("RESTORE_ETCD_ENDPOINTS", " , "),
        ("RESTORE_MILVUS_ADDRESS", "https://host:19530"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidRequest) as caught:
        Settings.load()
    assert str(caught.value).startswith(f"{variable}: ")
    assert "sesame" not in str(caught.value)


def test_a_secret_in_the_environment_is_read_when_used_and_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RESTORE_ETCD_PASSWORD", "open sesame")
    monkeypatch.setenv("RESTORE_MILVUS_TOKEN", "root:sesame")
    settings = Settings.load()
    assert "sesame" not in repr(settings)
    assert "sesame" not in settings.model_dump_json()
    profile = settings.profile("default")
    monkeypatch.setenv("RESTORE_ETCD_PASSWORD", "changed")
    password, token = profile.etcd.password(), profile.milvus.token()
    assert password is not None
    assert token is not None
    assert (password.get_secret_value(), token.get_secret_value()) == ("changed", "root:sesame")
    assert "sesame" not in f"{token} {token!r}"


def test_a_secret_may_lie_in_a_file(write: Write, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("root:sesame\n", encoding="utf-8")
    write(f"[profiles.other.milvus]\ntoken_file = '{tmp_path / 'token'}'")
    token = Settings.load().profile("other").milvus.token()
    assert token is not None
    assert token.get_secret_value() == "root:sesame"


@pytest.mark.parametrize(
    ("variable", "password"),
    [("RESTORE_ETCD_PASSWORD", "of the variable"), ("RESTORE_ETCD_PASSWORD_FILE", "of the other file")],
)
def test_a_secret_of_the_environment_overrules_the_file_s_whichever_way_it_is_named(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, password: str
) -> None:
    (tmp_path / "other").write_text("of the other file", encoding="utf-8")
    write("[profiles.default.etcd]\npassword_env = 'PASSWORD_OF_THE_FILE'")
    monkeypatch.setenv("PASSWORD_OF_THE_FILE", "of the settings file")
    monkeypatch.setenv(variable, str(tmp_path / "other") if variable.endswith("FILE") else password)
    found = Settings.load().profile("default").etcd.password()
    assert found is not None
    assert found.get_secret_value() == password


def test_a_secret_that_is_named_but_absent_is_an_error_when_it_is_used(write: Write, tmp_path: Path) -> None:
    write(f"[profiles.a.milvus]\ntoken_env = 'NOT_SET'\n[profiles.b.milvus]\ntoken_file = '{tmp_path}/none'")
    settings = Settings.load()
    with pytest.raises(
        InvalidRequest, match="environment variable NOT_SET, which is to hold token, is not set"
    ):
        settings.profile("a").milvus.token()
    with pytest.raises(InvalidRequest, match=r"/none, which is to hold token, cannot be read: No such file"):
        settings.profile("b").milvus.token()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        S3Settings().bucket = "other"
