"""Becomes another program under limits: ``launcher.py '{"nofile": 64}' UID program argument …``.

UID is 0 for no change. RLIMIT_NPROC does not bind uid 0, so that such tests need another one; how
that one still reads files that only root may read is in the matrix's launcher, from which it is
taken.
"""

import json
import os
import resource
import sys
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).parents[2] / "matrix" / "wsgi_matrix" / "engines" / "process")
)
from launcher import RESOURCES, become  # type: ignore[import-not-found]

limits, uid, *command = sys.argv[1:]
for name, value in json.loads(limits).items():
    resource.setrlimit(RESOURCES[name], (value, value))
if int(uid):
    become(int(uid))
del sys.path[0]
os.execv(command[0], command)
