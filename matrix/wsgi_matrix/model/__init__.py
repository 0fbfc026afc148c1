"""The data types of the matrix: frozen values, no I/O.

All other modules use these types. A cell is one combination of the axes; an engine opens it;
the probe records what was on the wire; checks evaluate it; reports show the results. Each module
here imports only those before it: ``axes``, ``wire``, ``results``.
"""
