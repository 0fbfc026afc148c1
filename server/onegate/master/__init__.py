"""The process that owns listeners and children: it forks, watches, replaces and ends them."""
