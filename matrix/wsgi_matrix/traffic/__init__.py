"""Forms of the user's traffic, which ``wsgi-matrix try`` sends to their own app.

``load`` reads it in any form as sessions (:mod:`wsgi_matrix.model.http_session`); the probe sends
them, one request after another. The suite ``traffic`` checks the responses and compares them with
those of the first cell, without the values in ``ignore``; ``propose`` finds values that an app
changes by itself.
"""
