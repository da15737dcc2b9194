"""Django settings. Every variable is explained in docs/settings.md (a test compares)."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from j5a_admin.env import (
    env_absolute_path,
    env_bool,
    env_float,
    env_host,
    env_hosts,
    env_int,
    env_name,
    env_names,
    env_origins,
    env_path,
    env_secret,
    env_sub_path,
    env_text,
    env_time_zone,
    env_url,
)
from j5a_admin.host import host_name_kept
from j5a_admin.secret import private_directory, secret_read_or_create

GIB = 1024**3
MIB = 1024**2

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env_path("DATA_DIR", BASE_DIR / "var")
HOST_ID = env_name("HOST_ID", "the machine's own name") or host_name_kept(DATA_DIR / "host_id")

# ── Web ──────────────────────────────────────────────────────────────────────────────────────────
BIND = env_host("BIND", "127.0.0.1")
PORT = env_int("PORT", 8000, low=1, high=65535)
DEBUG = False  # there is no debug mode: errors go to the log, people get a page that says what to do
SECRET_KEY = env_secret("SECRET_KEY") or secret_read_or_create(DATA_DIR / "secret_key")
ALLOWED_HOSTS = env_hosts("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]", BIND, HOST_ID, socket.gethostname()])
CSRF_TRUSTED_ORIGINS = env_origins("CSRF_TRUSTED_ORIGINS")

# Behind a TLS proxy: secure cookies, HSTS and the proxy's header. Off for plain http on the loopback.
HTTPS = env_bool("HTTPS", False)
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# For this host only: whether all hosts of the domain speak TLS is not known here, and browsers keep it for a year.
SECURE_HSTS_PRELOAD = env_bool("HSTS_PRELOAD", False) and HTTPS
SECURE_HSTS_INCLUDE_SUBDOMAINS = (env_bool("HSTS_SUBDOMAINS", False) and HTTPS) or SECURE_HSTS_PRELOAD
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # they ask for both of these
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_NAME = "j5a_session"
CSRF_COOKIE_NAME = "j5a_csrf"
SUB_PATH = env_sub_path("SUB_PATH")
FORCE_SCRIPT_NAME = SUB_PATH or None
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{SUB_PATH}/"
CSRF_FAILURE_VIEW = "j5a_admin.views.errors.csrf_failure"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "j5a_admin.apps.J5aAdminConfig",
    "transcribe.apps.TranscribeConfig",
    "gate.apps.GateConfig",
    "j5a_admin.apps.SiteAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_q",
    "axes",
]

MIDDLEWARE = [
    "j5a_admin.middleware.SubPathMiddleware",
    "j5a_admin.middleware.ContentSecurityPolicyMiddleware",
    "j5a_admin.middleware.ForwardedProtoMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "j5a_admin.middleware.PanelLoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "j5a_admin.urls"
WSGI_APPLICATION = "j5a_admin.wsgi.application"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "dashboard"

# ── Guessed passwords (j5a_admin/login.py) ───────────────────────────────────────────────────────
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = env_int("LOGIN_TRIES", 5, low=1, high=1000)
# Short, and not made longer by tries meanwhile: who guesses must not keep the only administrator out.
AXES_COOLOFF_TIME = timedelta(seconds=env_int("LOGIN_WAIT_SECONDS", 60, low=1, high=86_400))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "j5a_admin.login.client_address"
AXES_LOCKOUT_CALLABLE = "j5a_admin.login.locked_out"
AXES_ENABLE_ADMIN = False  # j5a_admin/admin.py shows them, to read
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_SENSITIVE_PARAMETERS: list[str] = []  # name and address belong into the log; the password never gets there
AXES_VERBOSE = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# ── Database: why these options, measured: docs/architecture.md ─────────────────────────────────
DATABASES = {
    "default": {
        "ENGINE": "j5a_admin.sqlite",
        "NAME": DATA_DIR / "j5a.sqlite3",
        "ATOMIC_REQUESTS": False,  # IMMEDIATE makes every atomic block a write lock: keep them short
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
        "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env_time_zone("TIME_ZONE", "UTC")

# ── Files ────────────────────────────────────────────────────────────────────────────────────────
STATIC_URL = f"{SUB_PATH}/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
MEDIA_ROOT = DATA_DIR / "uploads"
WORK_DIR = DATA_DIR / "work"
LOG_DIR = DATA_DIR / "logs"
MODELS_DIR = env_path("MODELS_DIR", DATA_DIR / "models")
WEIGHTS_URL = env_url("WEIGHTS_URL")  # None: where openai-whisper publishes them
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
# On the uploads' own file system, so that the last step is a rename.
FILE_UPLOAD_TEMP_DIR = private_directory(DATA_DIR / "uploads" / "incoming")
FILE_UPLOAD_HANDLERS = ["transcribe.uploads.FilesIgnored"]  # the upload view brings its own
DATA_UPLOAD_MAX_NUMBER_FILES = 100
# Every form but the upload's own file: it is held in memory until it is whole (j5a_admin/web_worker.py).
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
UPLOAD_MAX_BYTES = env_int("UPLOAD_MAX_MIB", 20 * 1024, low=1, high=10_000_000) * MIB
# Kept free for the database, the decoded audio and everybody else on the disk.
DISK_RESERVE_BYTES = env_int("DISK_RESERVE_MIB", 500, low=0, high=10_000_000) * MIB

# ── Gate and lock (docs/protocol.md) ─────────────────────────────────────────────────────────────
LOCK_DIR = env_absolute_path("LOCK_DIR", Path("/tmp/j5a_locks"))  # noqa: S108 - shared with the older shell scripts
GATE_LOCK_PATH = LOCK_DIR / "whisper_large.lock"
GATE_MARGIN_BYTES = int(env_float("MARGIN_GIB", 4.0, low=0.5, high=1024) * GIB)
GATE_TRIP_CELSIUS = env_float("TRIP_CELSIUS", 80.0, low=30, high=110)
GATE_RESET_CELSIUS = env_float("RESET_CELSIUS", 75.0, low=25, high=109)
GATE_WATCHED_PROGRAMS = tuple(env_names("WATCHED_PROGRAMS", ["claude"]))
GATE_ACTIVITY_WARN_BYTES = env_int("ACTIVITY_WARN_MIB", 500, low=1, high=10_000_000) * MIB
GATE_ACTIVITY_HIGH_BYTES = env_int("ACTIVITY_HIGH_MIB", 2048, low=1, high=10_000_000) * MIB
GATE_END_CELSIUS = env_float("END_CELSIUS", 90.0, low=31, high=125)
GATE_END_AVAILABLE_BYTES = int(env_float("END_AVAILABLE_GIB", 2.0, low=0, high=1024) * GIB)
GATE_PAUSE_LIMIT_SECONDS = env_float("PAUSE_LIMIT_SECONDS", 3600, low=10, high=864_000)
# Where the trip mark is set lower than that, nothing rests unless it is asked for.
GATE_REST_CELSIUS = env_float("REST_CELSIUS", min(70.0, GATE_TRIP_CELSIUS), low=25, high=110)
GATE_END_PRESSURE_PERCENT = env_float("END_PRESSURE_PERCENT", 50.0, low=1, high=100)
GATE_PINNED_SENSOR = env_name("PINNED_SENSOR", "the best sensor there is")
GATE_IGNORED_SENSORS = tuple(env_names("IGNORED_SENSORS", []))
# A job that the gate keeps waiting for longer is an incident; so is a sampler that did not get to look for longer.
LONG_BLOCK_SECONDS = env_float("LONG_BLOCK_SECONDS", 1800, low=1, high=864_000)
STALL_SECONDS = env_float("STALL_SECONDS", 15, low=2, high=3600)
if GATE_RESET_CELSIUS >= GATE_TRIP_CELSIUS:
    raise ImproperlyConfigured(
        f"J5A_RESET_CELSIUS={GATE_RESET_CELSIUS} must be below J5A_TRIP_CELSIUS={GATE_TRIP_CELSIUS}: "
        "a blocked gate opens again only when the machine has cooled."
    )
if GATE_REST_CELSIUS > GATE_TRIP_CELSIUS:
    raise ImproperlyConfigured(
        f"J5A_REST_CELSIUS={GATE_REST_CELSIUS} must not be above J5A_TRIP_CELSIUS={GATE_TRIP_CELSIUS}: "
        "a running process rests first, and is paused when that does not keep it cool."
    )
if GATE_END_CELSIUS <= GATE_TRIP_CELSIUS:
    raise ImproperlyConfigured(
        f"J5A_END_CELSIUS={GATE_END_CELSIUS} must be above J5A_TRIP_CELSIUS={GATE_TRIP_CELSIUS}: "
        "a running process is paused first, and ended only when that does not help."
    )
if GATE_ACTIVITY_WARN_BYTES >= GATE_ACTIVITY_HIGH_BYTES:
    raise ImproperlyConfigured(
        f"J5A_ACTIVITY_WARN_MIB={GATE_ACTIVITY_WARN_BYTES // MIB} must be below "
        f"J5A_ACTIVITY_HIGH_MIB={GATE_ACTIVITY_HIGH_BYTES // MIB}: the warning becomes more urgent as memory grows."
    )
if GATE_PINNED_SENSOR in GATE_IGNORED_SENSORS:
    raise ImproperlyConfigured(
        f"J5A_PINNED_SENSOR={GATE_PINNED_SENSOR!r} stands in J5A_IGNORED_SENSORS, too: "
        "one sensor cannot decide and be ignored. Take it out of one of them."
    )

# ── Work ─────────────────────────────────────────────────────────────────────────────────────────
GATE_RETRY_SECONDS = env_int("GATE_RETRY_SECONDS", 30, low=1, high=3600)
ENGINE_THREADS = env_int("ENGINE_THREADS", 0, low=0, high=256)  # 0: one for each physical core
# One window of large-v3 with all six fallback temperatures takes minutes on a 2012 machine.
ENGINE_HUNG_SECONDS = env_int("ENGINE_HUNG_SECONDS", 1800, low=10, high=86_400)
# No learned limit is shorter: a window with all its fallback temperatures, and a busy machine, need some room.
ENGINE_SILENT_SECONDS = env_int("ENGINE_SILENT_SECONDS", 120, low=5, high=86_400)
DEFAULT_MODEL = env_text("DEFAULT_MODEL", None) or "demo"

# ── What is kept for how long (transcribe/retention.py) ──────────────────────────────────────────
KEEP_LOGS_DAYS = env_int("KEEP_LOGS_DAYS", 90, low=1, high=36_500)
KEEP_LOGS_BYTES = env_int("KEEP_LOGS_MIB", 500, low=1, high=10_000_000) * MIB
KEEP_RECORDS_DAYS = env_int("KEEP_RECORDS_DAYS", 365, low=1, high=36_500)
KEEP_JOBS_DAYS = env_int("KEEP_JOBS_DAYS", 0, low=0, high=36_500)  # 0: for ever, nothing is lost silently

# The Job table is the truth; a django-q2 task is only a wake-up (docs/architecture.md).
Q_CLUSTER = {
    "name": "j5a",
    "orm": "default",
    "broker_class": "transcribe.bell.Bell",  # rows only ring; nothing in them is unpickled or run
    "scheduler": False,  # it would run whatever a row of its table names
    "workers": 1,
    # A job takes the hours it takes; the supervisor watches the engine instead. (No limit at all would be None,
    # which makes django-q2 warn at every start.)
    "timeout": 20 * 86_400,
    "retry": 30 * 86_400,
    "queue_limit": 1,
    "bulk": 1,
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": 100,
    "catch_up": False,
    "daemonize_workers": True,
    "poll": 0.2,
    "label": "Wake-ups",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"brief": {"()": "j5a_admin.logs.BriefWarnings"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "stream": "ext://gate.core.patient.patient_stderr",
            "formatter": "line",
            "filters": ["brief"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django-q": {"level": "WARNING"}, "axes": {"level": "WARNING"}},
}
