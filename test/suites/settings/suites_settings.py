"""Settings of Django's own tests: the default cache is memcached on its usual port, by the backend that MEMSHIM_SUITES_BACKEND names."""

import os

_MEMORY = {"ENGINE": "django.db.backends.sqlite3"}
BACKEND = "django.core.cache.backends.memcached." + os.environ["MEMSHIM_SUITES_BACKEND"]
CACHES = {"default": {"BACKEND": BACKEND, "LOCATION": "127.0.0.1:11211"}}
DATABASES = {"default": _MEMORY, "other": dict(_MEMORY)}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECRET_KEY = "only for tests"
USE_TZ = False
