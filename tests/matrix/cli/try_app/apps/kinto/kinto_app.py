"""Kinto as its documentation starts it, with everything in memory."""

import kinto

app = kinto.main(
    {},
    **{
        "kinto.storage_backend": "kinto.core.storage.memory",
        "kinto.permission_backend": "kinto.core.permission.memory",
        "kinto.cache_backend": "kinto.core.cache.memory",
        "kinto.userid_hmac_secret": "for tests only",
        "multiauth.policies": "basicauth",
        "kinto.bucket_create_principals": "system.Authenticated",
    },
)
