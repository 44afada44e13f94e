"""The least that the two shops need."""
import os

SECRET_KEY = "only for this example"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "shop",
    "legacy",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",  # PGHOST, PGUSER and so on, as for psql
        "NAME": os.environ.get("PGDATABASE", "guitars"),
    }
}
if "TEST_TEMPLATE" in os.environ:  # a database with the extension, where it cannot be created in template1
    DATABASES["default"]["TEST"] = {"TEMPLATE": os.environ["TEST_TEMPLATE"]}
