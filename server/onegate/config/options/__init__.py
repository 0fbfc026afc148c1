"""The declarations, one file for each group of options."""
