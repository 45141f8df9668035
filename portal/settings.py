"""Settings of the project, and the one file that reads the environment (see docs/operations.md).

A value is looked up in the process environment, then in `.env`, then in `var/local.env`, which
`manage.py up` writes for the parts it runs itself. A missing secret stops the start with its name.
"""

import ssl
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portal import admin_theme, databases, environment
from portal.environment import Env

BASE_DIR = Path(__file__).resolve().parent.parent


env = Env()
for env_file in (BASE_DIR / ".env", BASE_DIR / "var" / "local.env"):
    if env_file.is_file():
        env.read_env(env_file)

# ── Where we are ───────────────────────────────────────────────────────────────────────────────
DEBUG = env.bool("DEBUG", default=False)
# Where a secret is that the environment does not hold: a vault, read with the managed identity.
KEY_VAULT_URL = env.vault_url = env.str("KEY_VAULT_URL", default="")
SECRET_KEY, *SECRET_KEY_FALLBACKS = env.secrets("SECRET_KEY")
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
_public = environment.split_address("PUBLIC_URL", PUBLIC_URL)
if _public.scheme not in {"http", "https"} or not _public.hostname:
    raise ImproperlyConfigured("PUBLIC_URL must be an http or https address with a host name")
IS_HTTPS = _public.scheme == "https"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_public.hostname])
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
# Whose forwarded headers are believed (portal/gateway.py): the gateway's subnet, and the hops of
# the hosting platform in between, which only add to them.
GATEWAY_NETWORKS = env.networks("GATEWAY_NETWORKS")
PLATFORM_NETWORKS = env.networks("PLATFORM_NETWORKS")
# Where worker and beat answer health probes; 0: nowhere.
PROBE_PORT = env.int("PROBE_PORT", default=0)

# Requests that are answered at the same time by one web process; fewer than its connections.
WEB_THREADS = env.count("WEB_THREADS", default=8)

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "tenants",
    "chat",
    "portal",
]

MIDDLEWARE = [
    "portal.health.ReadinessMiddleware",
    "portal.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "portal" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# ── PostgreSQL ─────────────────────────────────────────────────────────────────────────────────
# With entra every new connection asks the provider for its password, whoever makes it and has none.
DATABASE_AUTH = env.choice("DATABASE_AUTH", {"password", "entra"}, default="password")
DATABASE_TOKEN_PROVIDER = "portal.azure.database_token"  # noqa: S105  # a dotted path, no secret
DATABASES = {
    "default": databases.application(
        env.str("DATABASE_URL"),
        pool_size=env.count("DATABASE_POOL_SIZE", default=16),
        pool_timeout=env.count("DATABASE_POOL_TIMEOUT", default=10),
        sign_in=DATABASE_AUTH,
    )
}
# An administrator of the server: for `create_roles` and `bootstrap` alone.
DATABASE_ADMIN_SECRET_URL = env.str("DATABASE_ADMIN_URL", default="")
# The role that owns the tables: for `migrate` alone, so web, worker and beat go without. It is no
# identity of the cloud: with tokens the administrator acts for it.
DATABASE_OWNER = databases.owner_account(
    env.str("DATABASE_OWNER_URL", default=""),
    DATABASES["default"],
    administrator=DATABASE_ADMIN_SECRET_URL if DATABASE_AUTH == "entra" else "",
)

# ── Redis or Valkey: broker and stream relay ───────────────────────────────────────────────────
REDIS_URL = env.str("REDIS_URL")
_redis = environment.redis_address("REDIS_URL", REDIS_URL)
# With entra, the user of REDIS_URL is the identity's object id, and the provider gives the password
# of each connection, and the next one to sign in with before it expires.
REDIS_AUTH = env.choice("REDIS_AUTH", {"password", "entra"}, default="password")
if REDIS_AUTH == "entra" and (not _redis.username or _redis.password):
    raise ImproperlyConfigured(
        "REDIS_URL must name the identity's object id as its user, and no password,"
        " with REDIS_AUTH=entra"
    )
REDIS_TOKEN_PROVIDER = "portal.azure.redis_token"  # noqa: S105  # a dotted path, no secret

# Sign-in rate limits live in PostgreSQL, so that they hold across instances and without Redis.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
    }
}

# ── Celery ─────────────────────────────────────────────────────────────────────────────────────
CELERY_BROKER_URL = REDIS_URL
# Without this, kombu would take any certificate at all.
if _redis.scheme == "rediss":
    CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
if REDIS_AUTH == "entra":
    CELERY_BROKER_TRANSPORT = "chat.streams.broker:Transport"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 0,  # a send does not wait for Redis: the sweep issues its ticket later
    "socket_connect_timeout": 2,
    "socket_timeout": 15,
    "socket_keepalive": True,
    "health_check_interval": 30,
}
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "settle": {"task": "chat.tasks.settle", "schedule": 3.0, "options": {"expires": 3}},
    "tell": {"task": "chat.tasks.tell_members", "schedule": 60.0, "options": {"expires": 60}},
    # By the clock: an interval would begin anew whenever beat does.
    "expire": {"task": "chat.tasks.delete_expired", "schedule": crontab(minute=23)},
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
# Generations wait in a queue of their own, so that nothing short waits behind them.
CELERY_TASK_ROUTES = {
    "chat.tasks.generate": {"queue": "chat"},
    "chat.tasks.generate_title": {"queue": "default"},
    "chat.tasks.settle": {"queue": "default"},
    "chat.tasks.tell_members": {"queue": "default"},
    "chat.tasks.delete_expired": {"queue": "default"},
}
# Its broadcasts are not used, and let whoever reaches the broker command the worker.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SEND_TASK_EVENTS = False

# ── Models ─────────────────────────────────────────────────────────────────────────────────────
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
AZURE_OPENAI_ENDPOINT = env.str("AZURE_OPENAI_ENDPOINT", default="")
AZURE_OPENAI_API_KEY = env.str("AZURE_OPENAI_API_KEY", default="")
AZURE_OPENAI_SCOPE = env.str(
    "AZURE_OPENAI_SCOPE", default="https://cognitiveservices.azure.com/.default"
)
for _name, _value in {
    "OPENAI_BASE_URL": OPENAI_BASE_URL,
    "AZURE_OPENAI_ENDPOINT": AZURE_OPENAI_ENDPOINT,
}.items():
    _address = environment.split_address(_name, _value)
    if _value and (_address.scheme not in {"http", "https"} or not _address.hostname):
        raise ImproperlyConfigured(f"{_name} must be an http or https address with a host name")
# The hosts that a key or identity token may be sent to: those of the two endpoints, and these.
MODEL_HOSTS = frozenset(
    host.lower()
    for host in (
        urlsplit(OPENAI_BASE_URL).hostname,
        urlsplit(AZURE_OPENAI_ENDPOINT).hostname,
        *env.list("MODEL_HOSTS", default=[]),
    )
    if host
)
MODEL_TOKEN_PROVIDER = "portal.azure.openai_token"  # noqa: S105  # a dotted path, no secret
MODEL_CONNECT_SECONDS = env.positive("MODEL_CONNECT_SECONDS", default=5.0)
MODEL_FIRST_TOKEN_SECONDS = env.positive("MODEL_FIRST_TOKEN_SECONDS", default=120.0)
MODEL_SILENCE_SECONDS = env.positive("MODEL_SILENCE_SECONDS", default=60.0)

# ── Azure ──────────────────────────────────────────────────────────────────────────────────────
# For `infra` and `release`. Another cloud than the public one has another manager and authority.
AZURE_SUBSCRIPTION_ID = env.str("AZURE_SUBSCRIPTION_ID", default="")
AZURE_RESOURCE_MANAGER_URL = env.str(
    "AZURE_RESOURCE_MANAGER_URL", default="https://management.azure.com"
).rstrip("/")
# For `check_network`: the addresses and names that the templates know; see portal/network/plan.py.
NETWORK_PLAN = env.str("NETWORK_PLAN", default="")
# App Service sets both: the second only where the app is integrated with a virtual network
# (https://learn.microsoft.com/azure/app-service/reference-app-settings).
APP_SERVICE_NAME = env.str("WEBSITE_SITE_NAME", default="")
APP_SERVICE_ADDRESS = env.str("WEBSITE_PRIVATE_IP", default="")

# What `bootstrap` makes in a new deployment, as its template writes it (JSON), and the release that
# this image is.
BOOTSTRAP = env.str("BOOTSTRAP", default="")
IMAGE_TAG = env.str("IMAGE_TAG", default="")

# ── Chat ───────────────────────────────────────────────────────────────────────────────────────
CHAT_MAX_MESSAGE_CHARS = env.count("CHAT_MAX_MESSAGE_CHARS", default=100_000)
CHAT_MAX_REPLY_CHARS = env.count("CHAT_MAX_REPLY_CHARS", default=1_000_000)
# A worker looks for stops this often; it is held dead after the limit without a heartbeat.
CHAT_PULSE_SECONDS = env.positive("CHAT_PULSE_SECONDS", default=0.5)
CHAT_HEARTBEAT_LIMIT_SECONDS = env.positive("CHAT_HEARTBEAT_LIMIT_SECONDS", default=15.0)
CHAT_MAX_ATTEMPTS = 3
# Generations that one worker process runs at once; its Celery concurrency must be higher.
CHAT_WORKER_SLOTS = env.count("CHAT_WORKER_SLOTS", default=220)
# Generations that all workers together run at once, of all tenants.
CHAT_MAX_RUNNING = env.count("CHAT_MAX_RUNNING", default=1000)
# A worker that is told to stop lets its answers run on for this long. App Service ends it after 120
# seconds (WEBSITES_CONTAINER_STOP_TIME_LIMIT), and it needs up to 20 more for storing what is left.
CHAT_LEAVE_SECONDS = env.positive("CHAT_LEAVE_SECONDS", default=90.0)
CHAT_STREAM_TTL_SECONDS = 3600
CHAT_STREAM_HEARTBEAT_SECONDS = 15.0
# Open streams are looked through this often for readers who may read no longer.
CHAT_ACCESS_LOOK_SECONDS = 2.0
# Body limit: the longest message in the widest encoding, as a form field, with room for the rest.
DATA_UPLOAD_MAX_MEMORY_SIZE = CHAT_MAX_MESSAGE_CHARS * 12 + 65_536
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# ── Sign-in ────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
_email_url = env.secret("EMAIL_URL", default="")
if IS_HTTPS and not _email_url:
    raise ImproperlyConfigured("EMAIL_URL must be set: mail with reset links belongs in no log")
vars().update(environment.mail_settings("EMAIL_URL", _email_url or "consolemail://"))
MAIL_BACKEND = vars()["EMAIL_BACKEND"]
EMAIL_BACKEND = "portal.mail.BackgroundBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="atrium@localhost")

# ── Browser security ───────────────────────────────────────────────────────────────────────────
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["atrium", "dompurify"],
    }
}

# ── Files ──────────────────────────────────────────────────────────────────────────────────────
STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=BASE_DIR / "var" / "static").__str__()
# Browser libraries, as npm installs them from package-lock.json.
STATICFILES_DIRS = [
    ("vendor/marked", BASE_DIR / "node_modules/marked/lib"),
    ("vendor/dompurify", BASE_DIR / "node_modules/dompurify/dist"),
    ("vendor/highlight", BASE_DIR / "node_modules/@highlightjs/cdn-assets/es"),
]
BROWSER_LIBRARY_FILES = frozenset(
    {
        "vendor/marked/marked.esm.js",
        "vendor/marked/marked.esm.js.map",
        "vendor/dompurify/purify.es.mjs",
        "vendor/dompurify/purify.es.mjs.map",
        "vendor/highlight/highlight.min.js",
    }
)
STATICFILES_FINDERS = [
    "portal.finders.BrowserLibraryFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "portal.storage.StaticStorage"},
}

# ── Language, time, logs ───────────────────────────────────────────────────────────────────────
LANGUAGE_CODE = "en"
TIME_ZONE = env.choice("TIME_ZONE", available_timezones(), default="UTC")
USE_TZ = True
LOGGING_CONFIG = None
LOG_LEVEL = env.choice("LOG_LEVEL", {"DEBUG", "INFO", "WARNING", "ERROR"}, default="INFO")
LOG_FORMAT = env.choice("LOG_FORMAT", {"json", "text"}, default="json")

# ── Admin and demo ─────────────────────────────────────────────────────────────────────────────
# The model that `create_demo` uses when the endpoint does not offer exactly one.
DEMO_MODEL = env.str("DEMO_MODEL", default="")
UNFOLD = admin_theme.UNFOLD
