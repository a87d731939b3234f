"""Two workers, as the machine has two cores; threads, as the sync worker closes every connection."""

wsgi_app = "django.core.wsgi:get_wsgi_application()"
raw_env = ["DJANGO_SETTINGS_MODULE=events.settings"]
workers = 2
worker_class = "gthread"
threads = 4
keepalive = 75
preload_app = True
control_socket_disable = True
