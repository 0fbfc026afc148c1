"""What a process has of the operating system, and what it tells its parent."""
