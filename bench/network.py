"""A network of our own: a namespace in which only the servers and their load are.

The loopback device of a machine has the firewall rules and the connection tracking of whatever
else runs there. A few rounds with a connection for each request fill the table of tracked
connections (a hundred thousand in seconds), and then packets are dropped: not the servers' doing,
and bad for the machine's other users as well.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # unshare(2)
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1  # netdevice(7)
PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")  # of the namespace that we are in


def enter_own_network() -> bool:
    """Move this process, and all that it starts from now on, into a network with a loopback only.

    Return whether that is allowed here; it needs root, or the right to make user namespaces.
    """
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    uid, gid = os.getuid(), os.getgid()
    if unshare(CLONE_NEWNET):
        if unshare(CLONE_NEWUSER | CLONE_NEWNET):
            return False
        # Whoever we are outside, we stay inside (user_namespaces(7)).
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    with socket.socket() as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
    if os.access(PORTS, os.W_OK):
        PORTS.write_text("10000 65000")  # more than a slice of short connections uses
    return True
