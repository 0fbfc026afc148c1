"""What the matrix is made of: frozen values only, no I/O.

Every other module speaks in these types. A cell is one combination of the axes; an engine opens it;
the probe brings back what was on the wire; checks judge it; reports show the results. Each module
here knows those before it: ``axes``, ``wire``, ``results``.
"""
