"""Settings of a project without database, sessions or templates."""

from django.core.management.utils import get_random_secret_key

DEBUG = False
# Nothing is signed here: a key for the life of the process keeps secrets out of the repository.
SECRET_KEY = get_random_secret_key()
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

ROOT_URLCONF = "project.urls"
# CommonMiddleware sets Content-Length. SecurityMiddleware and XFrameOptionsMiddleware of the start
# template would add fields that no other framework sends.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]

USE_TZ = True
