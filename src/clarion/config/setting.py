"""The list of all settings, as documentation shows them. What each is read to is `Settings`."""

from dataclasses import dataclass

from clarion.telemetry import LOG_FORMATS, LOG_LEVELS

GOOGLE_FCM_URL = "https://fcm.googleapis.com"
SECRET_CHARACTERS_MIN = 16
LATE_MINUTES_MAX = 10_080
SEEN_DAYS, SEEN_DAYS_MIN, SEEN_DAYS_MAX = 90, 30, 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable, as documentation shows it."""

    name: str
    meaning: str
    default: str
    example: str
    is_secret: bool = False
    """Shown to nobody, unless it is an address that hides its password by itself."""


SETTINGS = (
    Setting(
        name="CLARION_DATA_DIR",
        meaning="Directory for the SQLite database and the key file. Made if it is not there.",
        default="clarion-data",
        example="/var/lib/clarion",
    ),
    Setting(
        name="CLARION_DATABASE_URL",
        meaning="The database: sqlite:///PATH or postgresql://USER:PASSWORD@HOST[:PORT]/NAME.",
        default="SQLite file clarion.db in CLARION_DATA_DIR",
        example="postgresql://clarion:secret@db.internal/clarion",
    ),
    Setting(
        name="CLARION_BROKER_URL",
        meaning=(
            "Where jobs are kept: `database`, or NATS with JetStream, 2.12 or newer: "
            "nats://[USER:PASSWORD@]HOST[:PORT] (tls:// for TLS), several with commas between, "
            "then where wanted ?stream=NAME&replicas=N."
        ),
        default="database",
        example="nats://nats.internal:4222?replicas=3",
    ),
    Setting(
        name="CLARION_LISTEN",
        meaning="HOST:PORT that `serve`, `run collector` and `run web` listen on; port 0: any.",
        default="127.0.0.1:8080",
        example="0.0.0.0:8080",
    ),
    Setting(
        name="CLARION_METRICS_LISTEN",
        meaning=(
            "HOST:PORT on which a process serves /metrics, /livez and /readyz and nothing else, "
            "whatever its roles; port 0: any, which the log tells. For probes and scrapers; each "
            "process on a machine needs its own. `serve`, `run collector` and `run web` have them "
            "on CLARION_LISTEN, too."
        ),
        default="none",
        example="0.0.0.0:9464",
    ),
    Setting(
        name="CLARION_PUBLIC_URL",
        meaning=(
            "Where apps reach the collector, for SDKs that ask where to send. For a proxy that "
            "does not pass on `Host`; what callers write into `X-Forwarded-Host` decides nothing."
        ),
        default="the host that the SDK has asked",
        example="https://events.shop.example",
    ),
    Setting(
        name="CLARION_LATE_MINUTES",
        meaning=(
            "A campaign whose time passed longer ago than this, since no scheduler ran or a copy "
            f"of the database was put back, is paused, for a person; 1 to {LATE_MINUTES_MAX}."
        ),
        default="60",
        example="15",
    ),
    Setting(
        name="CLARION_SEEN_DAYS",
        meaning=(
            "For so many days does a messageId that comes again change nothing, whether its event "
            f"is still stored or not; {SEEN_DAYS_MIN} to {SEEN_DAYS_MAX}. While it is stored, none "
            "does."
        ),
        default=str(SEEN_DAYS),
        example="365",
    ),
    Setting(
        name="CLARION_FCM_URL",
        meaning="Where pushes go. http is taken only for this machine itself.",
        default=GOOGLE_FCM_URL,
        example="https://127.0.0.1:8443",
    ),
    Setting(
        name="CLARION_FCM_CA",
        meaning="PEM file of certificate authorities trusted besides the system's.",
        default="none",
        example="clarion-data/simulator-ca.pem",
    ),
    Setting(
        name="CLARION_ANALYTICS_JS",
        meaning=(
            "Segment's browser library, for pages whose snippet loads it from here: the file "
            "dist/umd/standalone.js of the npm package @segment/analytics-next, with its pieces "
            "beside it. Read once, at start."
        ),
        default="none: the snippet is told what is missing",
        example="/srv/analytics-next/dist/umd/standalone.js",
    ),
    Setting(
        name="CLARION_SECRET_KEY",
        meaning=f"Seals keys at rest: {SECRET_CHARACTERS_MIN} characters or more, in each process.",
        default="key file secret.key in CLARION_DATA_DIR, made at first start",
        example="the output of: openssl rand -base64 32",
        is_secret=True,
    ),
    Setting(
        name="CLARION_FORMER_SECRET_KEYS",
        meaning=(
            "Secrets that CLARION_SECRET_KEY was before, with commas between: they still open what "
            "they sealed, until `clarion secrets rotate` has sealed everything anew."
        ),
        default="none",
        example="the secret before this one",
        is_secret=True,
    ),
    Setting(
        name="CLARION_DISK_FREE_MIN",
        meaning=(
            "While less is free on the SQLite database's disk (or in the NATS account, where it "
            "has a limit), events are answered 503. Bytes, KB, MB or GB; 0: never."
        ),
        default="500MB",
        example="5GB",
    ),
    Setting(
        name="CLARION_BACKLOG_MAX",
        meaning=(
            "While more events than that wait to be taken in, further ones are answered 503. "
            "Bytes, KB, MB or GB; 0: never."
        ),
        default="2GB",
        example="20GB",
    ),
    Setting(
        name="CLARION_WORKSPACE",
        meaning="The name or the id of the workspace that commands work in.",
        default="the oldest",
        example="shop",
    ),
    Setting(
        name="CLARION_URL",
        meaning=(
            "Where Clarion runs, for commands on another machine: https://HOST[:PORT]. They ask "
            "its API with CLARION_API_KEY, and read nothing of this machine's; `serve`, `run`, "
            "`migrate` and `check` do not look at it."
        ),
        default="none: commands work on this machine's data, as the operator",
        example="https://clarion.shop.example",
    ),
    Setting(
        name="CLARION_API_KEY",
        meaning=(
            "The API key that commands ask CLARION_URL with. It says which workspace they work in, "
            "and what they may do there."
        ),
        default="none",
        example="clk_… as `clarion keys create` shows it once",
        is_secret=True,
    ),
    Setting(
        name="CLARION_LOG",
        meaning=(
            f"Level ({', '.join(LOG_LEVELS)}) and optionally format "
            f"({', '.join(LOG_FORMATS)}): LEVEL[,FORMAT]."
        ),
        default="info; console on a terminal, json otherwise",
        example="debug,json",
    ),
)
