"""The old name of pytest-xprocess, by which Flask-Caching's tests ask whether it is installed."""
