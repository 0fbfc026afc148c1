"""Traffic that people bring: what is sent to an app of their own, and how answers are compared.

``load`` reads it in any of its forms into sessions (``model``); the probe has them, one request
after another. :mod:`wsgi_matrix.suites.traffic` compares the responses with those of the first
cell.
"""
