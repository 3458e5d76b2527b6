"""The environment becomes settings, or every reason why not."""

from pathlib import Path

import pytest

from clarion.config import (
    SETTINGS,
    Address,
    Settings,
    read_address,
    read_settings,
)
from clarion.faults import Fault
from clarion.text import without_passwords


def settings_of(**environment: str) -> Settings:
    read = read_settings({f"CLARION_{name}": value for name, value in environment.items()})
    assert isinstance(read, Settings), read
    return read


def faults_of(**environment: str) -> dict[str, str]:
    read = read_settings({f"CLARION_{name}": value for name, value in environment.items()})
    assert isinstance(read, list)
    return {fault.field: fault.message for fault in read}


def test_an_empty_environment_gives_the_embedded_default() -> None:
    settings = settings_of()
    assert settings.database_url == f"sqlite:///{settings.data_dir}/clarion.db"
    assert settings.broker_url is None
    assert settings.listen == Address(host="127.0.0.1", port=8080)
    assert settings.fcm_url == "https://fcm.googleapis.com"
    assert settings.secret_key is None


def test_message_ids_are_known_for_a_month_at_least() -> None:
    assert settings_of().seen_days == 90
    assert settings_of(SEEN_DAYS="30").seen_days == 30
    assert "from 30 to" in faults_of(SEEN_DAYS="29")["CLARION_SEEN_DAYS"]


def test_the_database_lies_in_the_data_directory(tmp_path: Path) -> None:
    assert settings_of(DATA_DIR=str(tmp_path)).database_url == f"sqlite:///{tmp_path}/clarion.db"


def test_an_empty_variable_is_an_absent_one() -> None:
    assert settings_of(LISTEN=" ", BROKER_URL="") == settings_of()


def test_other_programs_variables_are_none_of_our_business() -> None:
    assert read_settings({"PATH": "/bin", "CLARIONET": "x"}) == settings_of()


def test_a_misspelt_setting_is_refused_with_the_nearest_name() -> None:
    assert "did you mean CLARION_FCM_URL?" in faults_of(FCM_RUL="https://x")["CLARION_FCM_RUL"]


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    message = faults_of(ZZZZZZZZ="1")["CLARION_ZZZZZZZZ"]
    assert all(setting.name in message for setting in SETTINGS)


def test_an_unknown_setting_is_refused_even_where_it_is_empty() -> None:
    assert "CLARION_FCM_RUL" in faults_of(FCM_RUL="")


def test_every_fault_is_told_at_once() -> None:
    faults = faults_of(
        LISTEN="8080",
        DATABASE_URL="mysql://x/y",
        BROKER_URL="amqp://x",
        FCM_URL="ftp://x",
        FCM_CA="/nowhere/ca.pem",
        SECRET_KEY="short",
        LOG="loud",
        PORT="1",
    )
    assert len(faults) == 8


def test_a_fault_never_repeats_a_password_or_a_secret() -> None:
    faults = faults_of(DATABASE_URL="postgresql://me:hunter2@", SECRET_KEY="hunter3")
    assert not any("hunter" in message for message in faults.values())


def test_secrets_are_not_in_the_repr_of_settings() -> None:
    settings = settings_of(
        DATABASE_URL="postgresql://me:hunter2@db/clarion",
        BROKER_URL="nats://me:hunter2@nats:4222",
        SECRET_KEY="hunter2-hunter2-hunter2",
    )
    assert "hunter2" not in repr(settings)


def test_a_password_is_not_shown_in_an_address_for_people() -> None:
    assert without_passwords("postgresql://me:pw@db:5432/c") == "postgresql://me:***@db:5432/c"
    assert without_passwords("sqlite:////data/clarion.db") == "sqlite:////data/clarion.db"
    assert without_passwords("postgresql://me@db/c") == "postgresql://me@db/c"
    assert without_passwords("nats://u:p@a:1,nats://u:p@b:2?stream=s") == (
        "nats://u:***@a:1,nats://u:***@b:2?stream=s"
    )


def test_a_nats_token_is_not_shown_in_an_address_for_people() -> None:
    assert without_passwords("nats://token@a:4222") == "nats://***@a:4222"


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("nats://a?replicas=2", "1, 3, 5"),
        ("nats://a?streem=x", "streem"),
        ("nats://a?stream=a.b", "letters"),
        ("nats://a:99999", "port"),
        ("http://a", "nats://HOST:PORT"),
        ("nats://a,b", "nats://HOST:PORT"),
    ],
)
def test_an_unusable_broker_is_refused_with_the_cure(url: str, cure: str) -> None:
    assert cure in faults_of(BROKER_URL=url)["CLARION_BROKER_URL"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_postgresql_goes_by_its_usual_names(scheme: str) -> None:
    settings = settings_of(DATABASE_URL=f"{scheme}://u:p@db/clarion")
    assert settings.database_url == "postgresql://u:p@db/clarion"


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "postgresql://db", "postgresql:///c", "clarion.db"],
)
def test_an_unusable_database_is_refused(url: str) -> None:
    assert "CLARION_DATABASE_URL" in faults_of(DATABASE_URL=url)


def test_a_port_out_of_range_is_a_fault_not_an_exception() -> None:
    assert "CLARION_DATABASE_URL" in faults_of(DATABASE_URL="postgresql://u@db:99999/c")
    assert "CLARION_LISTEN" in faults_of(LISTEN="127.0.0.1:65536")


def test_metrics_have_an_address_of_their_own_only_where_it_is_given() -> None:
    assert settings_of().metrics_listen is None
    given = settings_of(METRICS_LISTEN="0.0.0.0:9464")
    assert given.metrics_listen == Address(host="0.0.0.0", port=9464)
    assert given.listen == settings_of().listen
    assert "HOST:PORT" in faults_of(METRICS_LISTEN="9464")["CLARION_METRICS_LISTEN"]


def test_several_nats_servers_may_be_named() -> None:
    url = "nats://one:4222,nats://two:4222"
    assert settings_of(BROKER_URL=url).broker_url == url


def test_the_broker_may_be_named_as_the_database() -> None:
    assert settings_of(BROKER_URL="database").broker_url is None


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:8080", "::1", 8080), (":0", "0.0.0.0", 0)],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    address = read_address(text)
    assert (address.host, address.port) == (host, port)
    assert read_address(str(address)) == address


@pytest.mark.parametrize("text", ["8080", "localhost", "::1:8080", "host:", "host:-1", "host:x"])
def test_an_address_without_a_clear_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:8080|brackets"):
        read_address(text)


def test_fcm_over_plain_http_is_for_this_machine_alone() -> None:
    assert settings_of(FCM_URL="http://127.0.0.1:9000/").fcm_url == "http://127.0.0.1:9000"
    assert "CLARION_FCM_URL" in faults_of(FCM_URL="http://fcm.example")


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1000", 1_000), ("500MB", 500_000_000), ("2 gb", 2_000_000_000), ("1KiB", 1_024)],
)
def test_a_size_is_a_number_with_or_without_a_unit(text: str, size: int) -> None:
    assert settings_of(DISK_FREE_MIN=text).backpressure.disk_free_min == size
    assert settings_of(BACKLOG_MAX=text).backpressure.backlog_max == size


@pytest.mark.parametrize("text", ["-1", "1.5GB", "5%", "MB", "many", "5 apples"])
def test_a_size_that_is_none_is_named(text: str) -> None:
    faults = faults_of(DISK_FREE_MIN=text, BACKLOG_MAX=text)
    assert set(faults) == {"CLARION_DISK_FREE_MIN", "CLARION_BACKLOG_MAX"}
    assert "500MB" in faults["CLARION_DISK_FREE_MIN"]


def test_the_disk_that_is_looked_at_is_that_of_an_sqlite_database() -> None:
    at = settings_of(DATABASE_URL="sqlite:////var/lib/clarion/x.db").database_directory
    assert str(at) == "/var/lib/clarion"
    assert settings_of(DATABASE_URL="postgresql://u@h/n").database_directory is None


def test_the_log_is_a_level_and_a_format() -> None:
    assert (settings_of(LOG="DEBUG,json").log.level, settings_of(LOG="warning").log.form) == (
        "debug",
        None,
    )
    assert "CLARION_LOG" in faults_of(LOG="info,xml")


def test_settings_say_what_they_mean_and_what_they_may_be() -> None:
    assert all(one.meaning and one.default and one.example for one in SETTINGS)
    assert isinstance(Fault(field="a", message="b"), Fault)


@pytest.mark.parametrize(
    "options",
    [
        "sslmode=require",
        "sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "sslmode=verify-full&sslrootcert=system",
        "sslmode=require&channel_binding=require",
        "options=endpoint%3Dep-cool-darkness-1&sslmode=require",
        "target_session_attrs=read-write",
        "application_name=clarion-1&connect_timeout=5",
        "pgbouncer=true&connect_timeout=15",
        "keepalives=1&keepalives_idle=30&tcp_user_timeout=1000",
        "ssl=true",
        "gssencmode=disable&client_encoding=utf8",
    ],
)
def test_what_hosted_databases_hand_out_is_understood(options: str) -> None:
    url = f"postgresql://u:p%40%2F%23@ep-1.eu.db.example:6543/clarion?{options}"
    assert settings_of(DATABASE_URL=url).database_url == url


def test_several_hosts_or_a_socket_may_be_named() -> None:
    for url in (
        "postgresql://u:p@one:5432,two:5433/clarion?target_session_attrs=primary",
        "postgresql://u:p@/clarion?host=/cloudsql/project:region:name",
        "postgresql://u:p@[::1]:5432/clarion",
    ):
        assert settings_of(DATABASE_URL=url).database_url == url


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("schema=public", "schema"),
        ("sslmode=maybe", "sslmode"),
        ("connection_limit=5", "connection_limit"),
        ("gssencmode=require", "gssencmode"),
        ("target_session_attrs=leader", "target_session_attrs"),
        ("client_encoding=latin1", "client_encoding"),
        ("connect_timeout=soon", "connect_timeout"),
        ("sslmode=disable&channel_binding=require", "channel_binding"),
        ("sslmode", "NAME=VALUE"),
    ],
)
def test_what_can_not_be_kept_is_refused_by_name(options: str, name: str) -> None:
    faults = faults_of(DATABASE_URL=f"postgresql://u:hunter2@db/clarion?{options}")
    assert name in faults["CLARION_DATABASE_URL"]
    assert "hunter2" not in faults["CLARION_DATABASE_URL"]


@pytest.mark.parametrize("password", ["hun@ter2", "hun/ter2", "hun#ter2", "hun?ter2", "hun[ter2"])
def test_a_password_that_is_not_encoded_is_told_how_to_be(password: str) -> None:
    message = faults_of(DATABASE_URL=f"postgresql://u:{password}@db/clarion")[
        "CLARION_DATABASE_URL"
    ]
    assert "percent-encoded" in message
    assert "ter2" not in message


def test_a_password_among_the_options_is_not_shown() -> None:
    shown = without_passwords("postgresql://db/c?user=u&password=hunter2&sslpassword=hunter3")
    assert "hunter" not in shown


KUBERNETES = {
    "CLARION_SERVICE_HOST": "10.0.0.1",
    "CLARION_SERVICE_PORT": "8080",
    "CLARION_SERVICE_PORT_HTTP": "8080",
    "CLARION_PORT": "tcp://10.0.0.1:8080",
    "CLARION_PORT_8080_TCP": "tcp://10.0.0.1:8080",
    "CLARION_PORT_8080_TCP_PROTO": "tcp",
    "CLARION_PORT_8080_TCP_PORT": "8080",
    "CLARION_PORT_8080_TCP_ADDR": "10.0.0.1",
}


@pytest.mark.parametrize("service", ["", "WEB_", "COLLECTOR_", "FCM_SIMULATOR_"])
def test_what_kubernetes_says_of_a_service_is_no_setting(service: str) -> None:
    """Of one named clarion, clarion-web, …: links, as Docker made them, too."""
    told = {
        name.replace("CLARION_", f"CLARION_{service}"): value for name, value in KUBERNETES.items()
    }
    assert read_settings(told) == settings_of()


def test_a_port_that_somebody_meant_is_refused_with_the_setting() -> None:
    assert "CLARION_LISTEN" in faults_of(PORT="8080")["CLARION_PORT"]
    assert "CLARION_LISTEN" in faults_of(HOST="0.0.0.0")["CLARION_HOST"]


def test_every_setting_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a secret of more than 16 characters\n")
    assert settings_of(SECRET_KEY_FILE=str(file)).secret_key == file.read_text().strip()
    file.write_text("127.0.0.1:9000")
    assert settings_of(LISTEN_FILE=str(file)).listen.port == 9000


def test_a_file_that_can_not_be_used_is_told_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    for content, message in (
        (b"short one", "has 9 characters"),
        (b"one\ntwo that is long enough", "on one line"),
        (b" \n", "is empty"),
        (b"\xff\xfe and more of it", "not in UTF-8"),
    ):
        file.write_bytes(content)
        [(name, told)] = faults_of(SECRET_KEY_FILE=str(file)).items()
        assert (name, message in told) == ("CLARION_SECRET_KEY_FILE", True), told
        assert "two that" not in told and "short one" not in told
    assert "can not be read" in str(faults_of(SECRET_KEY_FILE=str(tmp_path / "nowhere")))
    assert "take one of them away" in str(faults_of(LOG_FILE=str(file), LOG="info"))
    assert "did you mean" in str(faults_of(SECRET_KEI_FILE=str(file)))
