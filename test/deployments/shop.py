"""The application that deployments.py serves: a Django site in one file, and a Celery worker's task.

A request `/ID` stores the key ID and reads it again: two calls of the memcached client, which must be in the trace exactly once.
"""

import os
import sys

import django
from django.conf import settings

BACKEND = os.environ.get("SHOP_BACKEND", "MemcachedCache")

if os.environ.get("SHOP_INSTALL"):
    import memshim_tracer

    memshim_tracer.install(os.environ["SHOP_INSTALL"])

settings.configure(
    DEBUG=True,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="shop",
    ROOT_URLCONF="shop",
    WSGI_APPLICATION="shop.application",
    INSTALLED_APPS=[],
    USE_TZ=True,
    SILENCED_SYSTEM_CHECKS=["urls.W001"],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.memcached." + BACKEND, "LOCATION": os.environ["SHOP_MEMCACHED"]}},
)
# manage.py is this file under another name: the site is always the module `shop`.
sys.modules.setdefault("shop", sys.modules[__name__])
django.setup(set_prefix=False)

from django.core.cache import cache  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


def remember(number):
    cache.set("id%d" % number, number, 60)
    return cache.get("id%d" % number)


def page(request, number):
    return HttpResponse("%d %s" % (os.getpid(), remember(number)))


urlpatterns = [path("<int:number>", page)]
application = get_wsgi_application()

if os.environ.get("SHOP_PRELOADED_CALL"):
    # A call before the workers are forked: it belongs to the parent's own trace.
    remember(0)

try:
    import celery
except ImportError:
    pass
else:
    folder = os.environ.get("SHOP_QUEUE", ".")
    app = celery.Celery("shop", broker="filesystem://")
    app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder}
    app.conf.worker_hijack_root_logger = False
    task = app.task(name="remember")(remember)

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
