"""What a process uses of the operating system, and how it reports to its parent."""
