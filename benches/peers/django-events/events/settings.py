"""Settings of the service as it would be deployed; what differs between deployments comes from the environment."""

import datetime
import os
from pathlib import Path

SECRET_KEY = os.environ["SECRET_KEY"]
OPENTOK_API_KEY = os.environ["OPENTOK_API_KEY"]
OPENTOK_API_SECRET = os.environ["OPENTOK_API_SECRET"]

DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "events.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "events"]
# No sessions, no cookies, no pages: only the middleware that sets Content-Length remains.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
USE_TZ = True
USE_I18N = False

AUTH_USER_MODEL = "events.User"
PASSWORD_HASHERS = ["events.hashers.Argon2id"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", Path(__file__).parent.parent / "db.sqlite3"),
        # A connection lives as long as its thread.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            # An acknowledged write survives a loss of power, as in Greenroom.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_jwt.authentication.JSONWebTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "events.pagination.Pages",
}
JWT_AUTH = {
    "JWT_AUTH_HEADER_PREFIX": "JWT",
    "JWT_EXPIRATION_DELTA": datetime.timedelta(days=7),
    "JWT_REFRESH_EXPIRATION_DELTA": datetime.timedelta(days=30),
    "JWT_LEEWAY": 3600,
    "JWT_TOKEN_ID": "off",
    "JWT_PAYLOAD_HANDLER": "events.authentication.payload",
}
