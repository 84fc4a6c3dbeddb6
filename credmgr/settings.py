"""Django settings and nothing else. Every value a person may change is read here, from credmgr.env only."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from credmgr import env

VERSION = "0.1.0"
BASE_DIR = Path(__file__).resolve().parent.parent
env.load_dotenv(Path(env.text("CREDMGR_ENV_FILE", str(BASE_DIR / ".env"))))

# ------------------------------------------------------------------ where things are
DATA_DIR = Path(env.text("CREDMGR_DATA_DIR", str(BASE_DIR / "var"))).expanduser().absolute()
# What SQLite cannot sort or undo in memory goes where the database is: a directory of everybody's is no place
# for it, and a read-only file system has none.
os.environ.setdefault("SQLITE_TMPDIR", str(DATA_DIR))
CA_FILE = DATA_DIR / "tls" / "ca.pem"
CA_BUNDLE_FILE = DATA_DIR / "tls" / "ca-bundle.pem"

# ------------------------------------------------------------------ addresses
PORTAL_PORT = env.number("CREDMGR_PORTAL_PORT", 8000, least=1, most=65535)
AUTHORITY_PORT = env.number("CREDMGR_AUTHORITY_PORT", 8443, least=1, most=65535)
PUBLIC_URL = env.text("CREDMGR_PUBLIC_URL").rstrip("/")
AUTHORITY_URL = PUBLIC_URL or f"https://localhost:{AUTHORITY_PORT}"
BIND_ADDRESS = env.text("CREDMGR_BIND_ADDRESS", "127.0.0.1")
TRUSTED_PROXIES = env.names("CREDMGR_TRUSTED_PROXIES")
# Where this server may send requests of its own, beside the built-in authority, the well-known issuers and
# what people add on the page Allowed origins.
ALLOWED_ORIGINS = env.origins("CREDMGR_ALLOWED_ORIGINS")
TLS_CERTIFICATE_FILE = env.text("CREDMGR_TLS_CERTIFICATE_FILE")
TLS_KEY_FILE = env.text("CREDMGR_TLS_KEY_FILE")
# Set by `serve` for each of its process groups: "portal" (plain http, loopback) or "secure" (https).
LISTENER = env.text("CREDMGR_LISTENER", "secure")
PORTAL_URL = PUBLIC_URL or f"http://localhost:{PORTAL_PORT}"
WORKERS = env.number("CREDMGR_WORKERS", 2, least=2, most=64)

# Who may read /metrics: from these addresses or networks, or with this token. Without a public URL this
# machine may; with one a proxy on it would let everybody in, so nobody may unless somebody is named.
METRICS_FROM = env.names("CREDMGR_METRICS_FROM") or ([] if PUBLIC_URL else ["127.0.0.1", "::1"])
METRICS_TOKEN = env.text("CREDMGR_METRICS_TOKEN")

# ------------------------------------------------------------------ limits and habits
EXPIRING_SOON_DAYS = env.number("CREDMGR_EXPIRING_SOON_DAYS", 30, least=1, most=365)
SECRETS_PER_APPLICATION = env.number("CREDMGR_SECRETS_PER_APPLICATION", 20, least=1, most=1000)
CERTIFICATES_PER_APPLICATION = env.number("CREDMGR_CERTIFICATES_PER_APPLICATION", 20, least=1, most=1000)
APPLICATIONS_PER_USER = env.number("CREDMGR_APPLICATIONS_PER_USER", 250, least=1, most=10_000_000)
UPLOAD_MAX_BYTES = env.number("CREDMGR_UPLOAD_MAX_BYTES", 65536, least=1024, most=1048576)
TOKEN_LIFETIME_SECONDS = env.number("CREDMGR_TOKEN_LIFETIME_SECONDS", 3599, least=60, most=86399)
SIGNING_KEY_DAYS = env.number("CREDMGR_SIGNING_KEY_DAYS", 90, most=1500)  # until the next; 0: never by itself
ASSERTION_MAX_AGE_SECONDS = env.number("CREDMGR_ASSERTION_MAX_AGE_SECONDS", 86400, least=60)
CLOCK_SKEW_SECONDS = 300
WRONG_SECRETS_PER_MINUTE = env.number("CREDMGR_WRONG_SECRETS_PER_MINUTE", 60, least=1)
TOKEN_REQUESTS_PER_MINUTE = env.number("CREDMGR_TOKEN_REQUESTS_PER_MINUTE", 0)  # per address; 0: no limit
TEST_DEADLINE_SECONDS = env.number("CREDMGR_TEST_DEADLINE_SECONDS", 10, least=1, most=60)
TESTS_PER_MINUTE = env.number("CREDMGR_TESTS_PER_MINUTE", 20, least=1)
TESTS_AT_ONCE = env.number("CREDMGR_TESTS_AT_ONCE", 2, least=1)
UPLOADS_PER_MINUTE = env.number("CREDMGR_UPLOADS_PER_MINUTE", 120, least=1)
STEP_UP_SECONDS = env.number("CREDMGR_STEP_UP_SECONDS", 600, least=30)
SESSION_IDLE_SECONDS = env.number("CREDMGR_SESSION_IDLE_SECONDS", 1800, least=60)
SESSION_ABSOLUTE_SECONDS = env.number("CREDMGR_SESSION_ABSOLUTE_SECONDS", 28800, least=300)
LOGIN_FAILURES_PER_ACCOUNT = env.number("CREDMGR_LOGIN_FAILURES_PER_ACCOUNT", 5, least=1)  # 15 minutes
LOGIN_FAILURES_PER_ADDRESS = env.number("CREDMGR_LOGIN_FAILURES_PER_ADDRESS", 50, least=1)  # an hour
RESTORE_DAYS = 30
DEFAULT_DIRECTORY_NAME = env.text("CREDMGR_DIRECTORY_NAME", "Default Directory")
DEFAULT_DIRECTORY_DOMAIN = env.text("CREDMGR_DIRECTORY_DOMAIN", "default.onmicrosoft.example")
# Older sign-ins are purged; 0 keeps them all.
SIGN_IN_DAYS = env.number("CREDMGR_SIGN_IN_DAYS", 90, least=0, most=36500)
# Older token tests are purged; 0 keeps them all.
TEST_RUN_DAYS = env.number("CREDMGR_TEST_RUN_DAYS", 365, least=0, most=36500)
# Older audit entries are deleted, a whole day of a chain at a time; 0 keeps them all.
AUDIT_DAYS = env.number("CREDMGR_AUDIT_DAYS", 0, least=0, most=36500)
# Where audit entries are sent as well: a syslog receiver (udp, tcp, tls) or a webhook on an allowed origin.
AUDIT_FORWARD = env.text("CREDMGR_AUDIT_FORWARD")
AUDIT_FORWARD_KEY = env.text("CREDMGR_AUDIT_FORWARD_KEY")
AUDIT_FORWARD_CA_FILE = env.text("CREDMGR_AUDIT_FORWARD_CA_FILE")
EXPORT_ROWS = env.number("CREDMGR_EXPORT_ROWS", 100_000, least=1)

# ------------------------------------------------------------------ single sign-on of people
# With any OpenID Connect provider; read by credmgr.signon.configuration. Off without an issuer.
SSO_ISSUER = env.text("CREDMGR_SSO_ISSUER")
SSO_CLIENT_ID = env.text("CREDMGR_SSO_CLIENT_ID")
SSO_CLIENT_SECRET = env.text("CREDMGR_SSO_CLIENT_SECRET")
SSO_NAME = env.text("CREDMGR_SSO_NAME", "single sign-on")
SSO_SCOPES = env.text("CREDMGR_SSO_SCOPES", "openid profile")
SSO_ROLE_CLAIM = env.text("CREDMGR_SSO_ROLE_CLAIM", "roles")
SSO_ROLE_MAP = env.names("CREDMGR_SSO_ROLE_MAP")
# Whether a sign-in at the provider counts as one with a second factor: when its amr says so, or in any case.
SSO_SECOND_FACTOR = env.choice("CREDMGR_SSO_SECOND_FACTOR", "AMR", {"AMR", "ALWAYS", "NEVER"})
SSO_REQUIRED = env.flag("CREDMGR_SSO_REQUIRED", False)

# ------------------------------------------------------------------ Django
DEBUG = env.flag("CREDMGR_DEBUG", False)


def _secret_key() -> str:
    """Django's signing key: the setting, else the file that `serve` makes, else none yet."""
    given = env.text("CREDMGR_SECRET_KEY")
    file = DATA_DIR / "secret-key"
    return given or (file.read_text().strip() if file.is_file() else "")


SECRET_KEY = _secret_key()
# Further names that the server answers to: for probes and scrapers that go round the proxy.
_MORE_HOSTS = env.names("CREDMGR_ALLOWED_HOSTS")
ALLOWED_HOSTS = [urlsplit(PUBLIC_URL).hostname or ""] if PUBLIC_URL else ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS += _MORE_HOSTS
ROOT_URLCONF = "credmgr.urls"
WSGI_APPLICATION = "credmgr.wsgi.application"
APPEND_SLASH = False
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "credmgr.accounts",
    "credmgr.vault",
    "credmgr.audit",
    "credmgr.factors",
    "credmgr.origins",
    "credmgr.registrations",
    "credmgr.credentials",
    "credmgr.authority",
    "credmgr.flowtest",
    "credmgr.localca",
    "credmgr.transfer",
    "credmgr.portal",
    "credmgr.ops",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "credmgr.audit.correlation.CorrelationMiddleware",
    "credmgr.ops.watching.RequestWatch",
    "credmgr.ops.front_gate.FrontGate",
    # Answers the authority's paths, with headers of its own. Nothing below runs for a token: it would cost as
    # much as the signature.
    "credmgr.authority.gate.AuthorityGate",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "credmgr.portal.body_limit.BodyLimitMiddleware",
    "credmgr.ops.headers.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "credmgr.accounts.middleware.SignInRequiredMiddleware",
    "credmgr.portal.authorization.AuthorizationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "credmgr.ops.vault_guard.VaultGuard",
    "credmgr.ops.repeating.ConflictRepeater",
]

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
                "credmgr.portal.navigation.shell",
            ],
        },
    }
]

# ------------------------------------------------------------------ database
_POSTGRESQL = env.database("DATABASE_URL")
_SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"


def _database(synchronous: str, more: str = "") -> dict[str, object]:
    """One connection description; `synchronous` is SQLite's PRAGMA of that name, `more` are further ones."""
    if _POSTGRESQL:
        return {**_POSTGRESQL, "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "credmgr.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": f"{_SQLITE_PRAGMAS} PRAGMA synchronous={synchronous}; {more}",
        },
    }


DATABASES = {
    # What a person was shown and the audit survive a power cut.
    "default": _database("FULL"),
    # The token endpoint's own connection: its sign-in rows survive the death of any process, and may lose
    # their last moments only at a power cut.
    # Readers keep its log from starting over, and beyond the limit every commit copies pages back: hence a
    # high one (16 MB of log).
    "tokens": {**_database("NORMAL", "PRAGMA wal_autocheckpoint=4000;"), "TEST": {"MIRROR": "default"}},
}
# Which of them the token endpoint uses. PostgreSQL has one promise for all, and spares the connection.
# In-process tests name the other one: two connections would lock each other out of a test's transaction.
TOKENS_DATABASE = "default" if _POSTGRESQL else "tokens"

# ------------------------------------------------------------------ sessions, cookies, headers
_SECURE = LISTENER == "secure"
_PREFIX = "__Host-" if _SECURE else ""
SESSION_ENGINE = "credmgr.accounts.session_store"  # Django's, with the person beside the data
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_NAME = f"{_PREFIX}sessionid"
SESSION_COOKIE_SECURE = _SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
CSRF_COOKIE_NAME = f"{_PREFIX}csrftoken"
CSRF_COOKIE_SECURE = _SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
CSRF_FAILURE_VIEW = "credmgr.portal.views.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Browsers apply it to every port of a host: on localhost it would cut off the plain listener.
SECURE_HSTS_SECONDS = 31536000 if PUBLIC_URL else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = bool(PUBLIC_URL)
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}

# ------------------------------------------------------------------ accounts
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "credmgr.accounts.password_words.OwnWordsValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:applications"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "credmgr.accounts.adapter.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_ADAPTER = "credmgr.factors.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_RECOVERY_CODE_DIGITS = 12
ACCOUNT_RATE_LIMITS = False  # our own throttle stands before the view and counts in the database

# ------------------------------------------------------------------ files, language, time
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 1048576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
# Uploads stay in memory: a private key must never touch a temporary file.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 1048576
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
# ------------------------------------------------------------------ logs
# A request that takes longer leaves a line; 0: none does.
SLOW_REQUEST_MS = env.number("CREDMGR_SLOW_REQUEST_MS", 1000)
LOG_LEVEL = env.choice("CREDMGR_LOG_LEVEL", "INFO", {"DEBUG", "INFO", "WARNING", "ERROR"})
# These write SQL parameters, request bodies and assertions below INFO; no setting turns that on.
_TALKATIVE = ["django.db.backends", "urllib3", "msal", "asyncio", "requests"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redaction": {"()": "credmgr.ops.logging.RedactionFilter"}},
    "formatters": {"json": {"()": "credmgr.ops.logging.JsonFormatter"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["redaction"],
            "formatter": "json",
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "_granian": {"handlers": [], "level": "ERROR", "propagate": True},
        **{name: {"level": "INFO"} for name in _TALKATIVE},
    },
}
LOGGING_CONFIG = "logging.config.dictConfig"
DEFAULT_EXCEPTION_REPORTER_FILTER = "credmgr.ops.error_reports.ReportFilter"
SILENCED_SYSTEM_CHECKS = [
    "security.W004",  # HSTS only with a public URL: see SECURE_HSTS_SECONDS
    "security.W021",  # whether a name goes on the browsers' preload list is its owner's decision
    "security.W008",  # no redirect to https: the plain listener is loopback's, on purpose
]
