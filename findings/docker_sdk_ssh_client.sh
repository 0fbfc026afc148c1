#!/usr/bin/env bash
# docker (SDK for Python) 7.2.0: use_ssh_client=True, which hands the connection to the ssh command,
# still cannot be used without paramiko, of which it then uses nothing.
#
# The transport imports paramiko at the top of its module, and the client takes that ImportError for
# "no support of ssh". So `DOCKER_HOST=ssh://…`, which the docker command reaches with nothing but
# ssh, asks for a second implementation of SSH (with cryptography, bcrypt and PyNaCl). With paramiko
# there, no connection is made until the first request, and the client is made. Seen on 2026-11-27,
# Python 3.11.7, paramiko 4.0.0:
#
#   without paramiko: DockerException: Install paramiko package to enable ssh:// support
#   with paramiko: made, nothing of it but its import was used
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check docker==7.2.0
cat >"$folder/ask.py" <<'PYTHON'
import docker
try:
    client = docker.APIClient(base_url="ssh://user@127.0.0.1", version="1.41", use_ssh_client=True)
except docker.errors.DockerException as error:
    print(f"without paramiko: {type(error).__name__}: {error}")
else:
    used = hasattr(client.get_adapter("http+docker://ssh"), "ssh_client")
    print("with paramiko: made,", "it is used" if used and client._custom_adapter.ssh_client
          else "nothing of it but its import was used")
PYTHON
"$folder/venv/bin/python" "$folder/ask.py" >"$folder/seen"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check paramiko==4.0.0
"$folder/venv/bin/python" "$folder/ask.py" >>"$folder/seen"
cat "$folder/seen"
diff - "$folder/seen" <<'SEEN'
without paramiko: DockerException: Install paramiko package to enable ssh:// support
with paramiko: made, nothing of it but its import was used
SEEN
