"""onegate beside its peers: ``make bench``, or ``python -m bench``.

Every figure is a median over interleaved rounds of ratios taken within a round, because on a
shared machine a single figure says more about the neighbours than about the server.
"""
