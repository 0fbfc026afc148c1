"""Traffic that people bring: what is sent to an app of their own, and how answers are compared.

``load`` reads it in any of its forms into sessions (``model``); the probe has them, one request
after another; ``suite`` judges the answers and compares them with those of the first cell, after
what ``ignore`` leaves out; ``propose`` finds what an app changes by itself.
"""
