"""Runs cells on an engine: the order and how many at a time, deadlines, cleanup, typed events.

``run`` is the entry point; ``schedule`` knows neither engines nor suites, ``cell`` no other cell,
and ``phases`` only events.
"""
